// Checks a value against the type of a variable and names each fault with its place (GraphQL specification, "Input coercion").
import {
  type GraphQLInputObjectType,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField
} from 'graphql'
import { isRawNumber } from '../json.ts'
import { formOf } from './input-type.ts'

/** Takes one fault: where it is, such as `where.id._eq`, and what is wrong there. */
export type Report = (path: string, problem: string) => void

/**
 * Checks one value; numbers may be raw, as `parseLossless` makes them.
 * @throws {RangeError} for nesting beyond the stack
 */
export function checkValue(type: GraphQLInputType, value: unknown, path: string, report: Report): void {
  if (isNonNullType(type)) {
    if (value === null || value === undefined) report(path, 'must not be null')
    else checkValue(type.ofType, value, path, report)
  } else if (value === null || value === undefined) {
    return
  } else if (isListType(type)) {
    // A single value stands for a list of one.
    if (Array.isArray(value)) value.forEach((item, index) => void checkValue(type.ofType, item, `${path}[${index}]`, report))
    else checkValue(type.ofType, value, path, report)
  } else if (isInputObjectType(type)) {
    if (isPlainObject(value)) checkFields(type, value, path, report)
    else report(path, 'must be an object')
  } else if (isEnumType(type)) {
    if (typeof value !== 'string' || type.getValue(value) === undefined) report(path, `must be one of ${namesOf(type.getValues())}`)
  } else {
    const { accepts, expected } = formOf(type)
    if (!accepts(value)) report(path, `must be ${expected}`)
  }
}

function checkFields(type: GraphQLInputObjectType, value: Readonly<Record<string, unknown>>, path: string, report: Report): void {
  const fields = new Map(Object.entries(type.getFields()))
  for (const [name, inner] of Object.entries(value)) {
    const field = fields.get(name)
    if (field) checkValue(field.type, inner, `${path}.${name}`, report)
    else report(`${path}.${name}`, `is not a field of ${type.name}`)
  }
  for (const [name, field] of fields) {
    if (isRequiredInputField(field) && !Object.hasOwn(value, name)) report(`${path}.${name}`, 'is missing')
  }
  if (type.isOneOf && Object.values(value).filter(inner => inner !== null).length !== 1) report(path, 'must have exactly one field')
}

/** Whether a value is a JSON object: neither a list nor a raw number. */
export const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)

const SHOWN_MAX = 20

function namesOf(values: readonly { readonly name: string }[]): string {
  const names = values.slice(0, SHOWN_MAX).map(({ name }) => name)
  return names.join(', ') + (values.length > SHOWN_MAX ? ' …' : '')
}
