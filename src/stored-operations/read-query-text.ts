// Reads a value of a query string by the type of its variable.
import { type GraphQLInputType, getNullableType, isEnumType, isInputObjectType, isListType } from 'graphql'
import type { Place, Report } from './check-value.ts'
import { formOf } from './input-type.ts'

/** A parameter as the query string has it: a list where its name came several times. */
export type QueryText = string | readonly string[]

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/**
 * A reader of parameters. What can't be read by its type stays a string, which the check of the value then refuses.
 * @param parseJson reads JSON so that numbers keep their digits
 */
export function createTextReader(parseJson: (text: string) => unknown) {
  const parsed = (text: string, place: Place, report: Report): unknown => {
    try {
      return parseJson(text)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      report(place, 'must be JSON')
      return undefined
    }
  }

  const readOne = (type: GraphQLInputType, text: string, place: Place, report: Report): unknown => {
    const nullable = getNullableType(type)
    if (isListType(nullable) || isInputObjectType(nullable)) return parsed(text, place, report)
    if (isEnumType(nullable)) return text
    const form = formOf(nullable)
    if (form.text === 'json') return parsed(text, place, report)
    if (form.text === 'number') return JSON_NUMBER.test(text) ? parseJson(text) : text
    if (form.text === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
    return form.isUnknown ? structureOr(text) : text
  }

  /** Where nothing but its name is known of a type, text that is a JSON object or list means that. */
  const structureOr = (text: string): unknown => {
    if (!/^\s*[{[]/.test(text)) return text
    try {
      return parseJson(text)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      return text
    }
  }

  return (type: GraphQLInputType, text: QueryText, place: Place, report: Report): unknown => {
    const nullable = getNullableType(type)
    if (isListType(nullable)) {
      const texts = typeof text === 'string' ? [text] : text
      return texts.map((one, step) => readOne(nullable.ofType, one, { within: place, step }, report))
    }
    if (typeof text === 'string') return readOne(type, text, place, report)
    report(place, 'must be given once')
    return undefined
  }
}
