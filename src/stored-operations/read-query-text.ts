// Reads a parameter of a query string as a value of its variable's type.
import { type GraphQLInputType, getNullableType, isEnumType, isInputObjectType, isListType } from 'graphql'
import { parseExact } from '../json.ts'
import type { Place, Report } from './check-value.ts'
import { formOf } from './input-type.ts'

/** A parameter of a query string: a list if its name occurs several times. */
export type QueryText = string | readonly string[]

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** Reads a parameter. Text that does not match the type stays a string, which `checkValue` then refuses. */
export function readQueryText(type: GraphQLInputType, text: QueryText, place: Place, report: Report): unknown {
  const nullable = getNullableType(type)
  if (isListType(nullable)) {
    const texts = typeof text === 'string' ? [text] : text
    return texts.map((one, step) => readOne(nullable.ofType, one, { within: place, step }, report))
  }
  if (typeof text === 'string') return readOne(type, text, place, report)
  report(place, 'must be given only once')
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

/** Reads a value of an unknown type: a JSON object or list as such, any other text as a string. */
function readStructure(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text
  try {
    return parseExact(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return text
  }
}
