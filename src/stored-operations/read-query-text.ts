// Reads a value of a query string by the type of its variable.
import { type GraphQLInputType, getNullableType, isEnumType, isInputObjectType, isListType } from 'graphql'
import { parseExact } from '../json.ts'
import type { Place, Report } from './check-value.ts'
import { formOf } from './input-type.ts'

/** A parameter of a query string: a list if its name came several times. */
export type QueryText = string | readonly string[]

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** Reads a parameter. Text that its type cannot read stays a string, which the check of the value then refuses. */
export function readQueryText(type: GraphQLInputType, text: QueryText, place: Place, report: Report): unknown {
  const nullable = getNullableType(type)
  if (isListType(nullable)) {
    const texts = typeof text === 'string' ? [text] : text
    return texts.map((one, step) => readOne(nullable.ofType, one, { within: place, step }, report))
  }
  if (typeof text === 'string') return readOne(type, text, place, report)
  report(place, 'must be given once')
  return undefined
}

function readOne(type: GraphQLInputType, text: string, place: Place, report: Report): unknown {
  const nullable = getNullableType(type)
  if (isListType(nullable) || isInputObjectType(nullable)) return readJson(text, place, report)
  if (isEnumType(nullable)) return text
  const form = formOf(nullable)
  switch (form.text) {
    case 'json':
      return readJson(text, place, report)
    case 'number':
      return JSON_NUMBER.test(text) ? parseExact(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    default:
      return form.isUnknown ? readStructure(text) : text
  }
}

function readJson(text: string, place: Place, report: Report): unknown {
  try {
    return parseExact(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    report(place, 'must be JSON')
    return undefined
  }
}

/** Reads a JSON object or list as such and any other text as a string, for a type of which only the name is known. */
function readStructure(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text
  try {
    return parseExact(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return text
  }
}
