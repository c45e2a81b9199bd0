// Reads a value of a query string by the type of its variable.
import { type GraphQLInputType, getNullableType, isEnumType, isInputObjectType, isListType } from 'graphql'
import { parseLossless } from '../json.ts'
import type { Report } from './check-value.ts'
import { formOf } from './input-type.ts'

/** A parameter of a query string: a list if its name came several times. */
export type QueryText = string | readonly string[]

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** Reads a parameter. Text that its type cannot read stays a string, which the check of the value then refuses. */
export function readQueryText(type: GraphQLInputType, text: QueryText, path: string, report: Report): unknown {
  const nullable = getNullableType(type)
  if (isListType(nullable)) {
    const texts = typeof text === 'string' ? [text] : text
    return texts.map((one, index) => readOne(nullable.ofType, one, `${path}[${index}]`, report))
  }
  if (typeof text === 'string') return readOne(type, text, path, report)
  report(path, 'must be given once')
  return undefined
}

function readOne(type: GraphQLInputType, text: string, path: string, report: Report): unknown {
  const nullable = getNullableType(type)
  if (isListType(nullable) || isInputObjectType(nullable)) return readJson(text, path, report)
  if (isEnumType(nullable)) return text
  const form = formOf(nullable)
  switch (form.text) {
    case 'json':
      return readJson(text, path, report)
    case 'number':
      return JSON_NUMBER.test(text) ? parseLossless(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    default:
      return form.isUnknown ? readStructure(text) : text
  }
}

function readJson(text: string, path: string, report: Report): unknown {
  try {
    return parseLossless(text)
  } catch {
    report(path, 'must be JSON')
    return undefined
  }
}

/** Reads a JSON object or list as such and any other text as a string, for a type of which only the name is known. */
function readStructure(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text
  try {
    return parseLossless(text)
  } catch {
    return text
  }
}
