// The table of scalars: which values Hasura accepts for each, and how they are written in a query string.
import { ExactNumber } from '../json.ts'

/** How the values of one scalar are read and checked. */
export type ScalarForm = {
  /** What the value must be, for the error message. */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  /** How the text in a query string is read; default: as a string. */
  readonly text?: 'number' | 'boolean' | 'json'
  /** Whether only the scalar's name is known. */
  readonly isUnknown?: boolean
}

const INT_MAX = 2 ** 31 - 1
const SMALLINT_MAX = 2 ** 15 - 1
const BIGINT_MAX = 2n ** 63n - 1n

/** Returns the text of a number, {@link ExactNumber} included; undefined for anything else. */
function numberText(value: unknown): string | undefined {
  if (value instanceof ExactNumber) return value.text
  return typeof value === 'number' ? String(value) : undefined
}

const isString = (value: unknown): value is string => typeof value === 'string'
const matches = (pattern: RegExp) => (value: unknown) => isString(value) && pattern.test(value)

function isIntegerWithin(value: unknown, max: number): boolean {
  const number = Number(numberText(value))
  return Number.isInteger(number) && number <= max && number >= -max - 1
}

const isDouble = (value: unknown) => Number.isFinite(Number(numberText(value) ?? Number.NaN))

/** Postgres also reads a number from a string. */
const isDecimal = (value: unknown) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^[+-]?(nan|infinity)$/i.test(numberText(value) ?? asText(value))

function isBigint(value: unknown): boolean {
  const text = numberText(value) ?? asText(value)
  if (!/^[+-]?\d{1,20}(\.0+)?$/.test(text)) return false
  const integer = BigInt(text.replace(/^\+|\.0+$/g, ''))
  return integer <= BIGINT_MAX && integer >= -BIGINT_MAX - 1n
}

const asText = (value: unknown) => (isString(value) ? value.trim() : '')

// The forms of ISO 8601 that Postgres reads, and its special words.
const DAY = '\\d{4,6}-\\d\\d-\\d\\d( BC)?'
const TIME = '\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?'
const ZONE = '\\s?(Z|[+-]\\d\\d(:?\\d\\d){0,2})'
const WORDS = 'now|today|tomorrow|yesterday|epoch|-?infinity'
const TIMESTAMP = new RegExp(`^(${DAY}([T ]${TIME}(${ZONE})?( BC)?)?|${WORDS})$`, 'i')
const DATE = new RegExp(`^(${DAY}([T ]${TIME}(${ZONE})?)?|${WORDS})$`, 'i')
const CLOCK = new RegExp(`^(${TIME}(${ZONE})?|now|allballs)$`, 'i')
/** Postgres accepts a hyphen after each group of four digits, or none, and braces. */
const UUID = /^(\{[0-9a-f]{4}(-?[0-9a-f]{4}){7}\}|[0-9a-f]{4}(-?[0-9a-f]{4}){7})$/i

const integerWithin = (max: number): ScalarForm => ({
  expected: `a whole number from ${-max - 1} to ${max}`,
  accepts: value => isIntegerWithin(value, max),
  text: 'number'
})
const string: ScalarForm = { expected: 'a string', accepts: isString }
const decimal: ScalarForm = { expected: 'a number', accepts: isDecimal, text: 'number' }
const bigint: ScalarForm = { expected: 'a 64-bit whole number', accepts: isBigint, text: 'number' }
const json: ScalarForm = { expected: 'JSON', accepts: () => true, text: 'json' }
const geometry: ScalarForm = {
  expected: 'GeoJSON',
  accepts: value => typeof value === 'object' && value !== null && !(value instanceof ExactNumber),
  text: 'json'
}
const timestamp: ScalarForm = { expected: 'a time such as 2026-01-31T09:30:00Z', accepts: matches(TIMESTAMP) }
const clock: ScalarForm = { expected: 'a time of day such as 09:30:00', accepts: matches(CLOCK) }

/** Scalars that accept any string. */
export const STRING_SCALARS = (
  'bit bpchar bytea cidr citext inet int4range int8range interval lquery ltree ltxtquery macaddr macaddr8 name numrange ' +
  'point text tsquery tsrange tstzrange tsvector varbit varchar xml'
).split(' ')

/** The scalars by name: GraphQL's, and Postgres's under the names that Hasura v2 gives them. */
export const SCALAR_FORMS: ReadonlyMap<string, ScalarForm> = new Map<string, ScalarForm>([
  ['Int', integerWithin(INT_MAX)],
  ['Float', { expected: 'a number', accepts: isDouble, text: 'number' }],
  ['Boolean', { expected: 'true or false', accepts: value => typeof value === 'boolean', text: 'boolean' }],
  ['String', string],
  ['ID', { expected: 'a string', accepts: value => isString(value) || Number.isInteger(value) || /^-?\d+$/.test(numberText(value) ?? '') }],
  ['uuid', { expected: 'a UUID', accepts: matches(UUID) }],
  ['timestamptz', timestamp],
  ['timestamp', timestamp],
  ['date', { expected: 'a date such as 2026-01-31', accepts: matches(DATE) }],
  ['time', clock],
  ['timetz', clock],
  ['numeric', decimal],
  ['decimal', decimal],
  ['float4', decimal],
  ['real', decimal],
  ['float8', decimal],
  ['bigint', bigint],
  ['bigserial', bigint],
  ['smallint', integerWithin(SMALLINT_MAX)],
  ['money', { expected: 'a number', accepts: () => true, text: 'number' }],
  ['json', json],
  ['jsonb', json],
  ['geometry', geometry],
  ['geography', geometry],
  ...STRING_SCALARS.map((name): [string, ScalarForm] => [name, string])
])

/** Any other scalar. In a query string, an object or list is read as JSON, anything else as a string. */
export const UNKNOWN_SCALAR: ScalarForm = { expected: 'any JSON', accepts: () => true, isUnknown: true }
