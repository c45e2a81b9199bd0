// Checks a value against the type of a variable, and reports each fault with its path (GraphQL specification, "Input coercion").
import {
  type GraphQLInputObjectType,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField
} from 'graphql'
import { ExactNumber, isObject } from '../json.ts'
import { formOf } from './input-type.ts'

/** The place of a value: a step inside another place, or the variable itself. The path is built only when there is a fault. */
export type Place = { readonly within?: Place; readonly step: string | number }

/** Called with each fault and its place. Throws once enough faults have been found. */
export type Report = (place: Place, problem: string) => void

/** Returns the path of a place, such as `where.id._eq` or `list[0]`. */
export function pathOf(place: Place): string {
  const steps: string[] = []
  for (let at: Place | undefined = place; at; at = at.within) {
    steps.push(typeof at.step === 'number' ? `[${at.step}]` : at.within ? `.${at.step}` : at.step)
  }
  return steps.reverse().join('')
}

/**
 * Checks one value; numbers may be {@link ExactNumber}. The cost is linear in the value, and checking stops when `report` throws.
 * @throws {RangeError} if the value is nested too deeply for the stack
 */
export function checkValue(type: GraphQLInputType, value: unknown, place: Place, report: Report): void {
  if (isNonNullType(type)) {
    if (value === null || value === undefined) report(place, 'must not be null')
    else checkValue(type.ofType, value, place, report)
  } else if (value === null || value === undefined) {
    return
  } else if (isListType(type)) {
    // A single value counts as a list of one.
    if (Array.isArray(value)) value.forEach((item, step) => void checkValue(type.ofType, item, { within: place, step }, report))
    else checkValue(type.ofType, value, place, report)
  } else if (isInputObjectType(type)) {
    if (isPlainObject(value)) checkFields(type, value, place, report)
    else report(place, 'must be an object')
  } else if (isEnumType(type)) {
    if (typeof value !== 'string' || type.getValue(value) === undefined) report(place, `must be one of ${namesOf(type.getValues())}`)
  } else {
    const { accepts, expected } = formOf(type)
    if (!accepts(value)) report(place, `must be ${expected}`)
  }
}

function checkFields(type: GraphQLInputObjectType, value: Readonly<Record<string, unknown>>, place: Place, report: Report): void {
  const fields = type.getFields()
  for (const [step, inner] of Object.entries(value)) {
    const field = fields[step]
    if (field) checkValue(field.type, inner, { within: place, step }, report)
    else report({ within: place, step }, `is not a field of ${type.name}`)
  }
  for (const step of requiredFieldsOf(type)) {
    if (!Object.hasOwn(value, step)) report({ within: place, step }, 'is missing')
  }
  if (type.isOneOf && Object.values(value).filter(inner => inner !== null).length !== 1) report(place, 'must have exactly one field')
}

const requiredFields = new WeakMap<GraphQLInputObjectType, readonly string[]>()

/** Returns the required fields of a type, cached because a table may have hundreds of columns, and a body a hundred thousand rows. */
function requiredFieldsOf(type: GraphQLInputObjectType): readonly string[] {
  let names = requiredFields.get(type)
  if (names === undefined) {
    names = Object.values(type.getFields())
      .filter(isRequiredInputField)
      .map(({ name }) => name)
    requiredFields.set(type, names)
  }
  return names
}

/** Whether a value is a JSON object, not a list or an {@link ExactNumber}. */
export const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && !(value instanceof ExactNumber)

const SHOWN_MAX = 20

function namesOf(values: readonly { readonly name: string }[]): string {
  const names = values.slice(0, SHOWN_MAX).map(({ name }) => name)
  return names.join(', ') + (values.length > SHOWN_MAX ? ' …' : '')
}
