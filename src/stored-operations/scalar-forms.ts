// The table of scalars: what Hasura takes and sends for each, as the JSON schema says it and as a value is checked.
import { ExactNumber } from '../json.ts'

/** A JSON schema (draft 2020-12) as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** One scalar's form. */
export type ScalarForm = {
  /** What Hasura sends. */
  readonly answer: JsonSchema
  /** What Hasura takes, where that is more than it sends. */
  readonly input?: JsonSchema
  /** What a bad value is told was expected. */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  /** How the text of a query string is meant; default: as a string. */
  readonly text?: 'number' | 'boolean' | 'json'
  /** Whether nothing is known of it but its name. */
  readonly isUnknown?: boolean
}

const INT_MAX = 2 ** 31 - 1
const BIGINT_MAX = 2n ** 63n - 1n

/** The text of a JSON number, also of one that is held as its text; undefined for anything else. */
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

/** Postgres reads a number from a string as well. */
const isDecimal = (value: unknown) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^[+-]?(nan|infinity)$/i.test(numberText(value) ?? asText(value))

function isBigint(value: unknown): boolean {
  const text = numberText(value) ?? asText(value)
  if (!/^[+-]?\d{1,20}(\.0+)?$/.test(text)) return false
  const integer = BigInt(text.replace(/^\+|\.0+$/g, ''))
  return integer <= BIGINT_MAX && integer >= -BIGINT_MAX - 1n
}

const asText = (value: unknown) => (isString(value) ? value.trim() : '')

// Forms of ISO 8601 as Postgres reads them, and its words.
const DAY = '\\d{4,6}-\\d\\d-\\d\\d( BC)?'
const TIME = '\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?'
const ZONE = '\\s?(Z|[+-]\\d\\d(:?\\d\\d){0,2})'
const WORDS = 'now|today|tomorrow|yesterday|epoch|-?infinity'
const TIMESTAMP = new RegExp(`^(${DAY}([T ]${TIME}(${ZONE})?( BC)?)?|${WORDS})$`, 'i')
const DATE = new RegExp(`^(${DAY}([T ]${TIME}(${ZONE})?)?|${WORDS})$`, 'i')
const CLOCK = new RegExp(`^(${TIME}(${ZONE})?|now|allballs)$`, 'i')
/** Postgres takes hyphens after any four digits, none at all, and braces. */
const UUID = /^(\{[0-9a-f]{4}(-?[0-9a-f]{4}){7}\}|[0-9a-f]{4}(-?[0-9a-f]{4}){7})$/i

const text = (description?: string): ScalarForm => ({
  answer: { type: 'string', ...(description && { description }) },
  expected: 'a string',
  accepts: isString
})
const decimal = (description: string): ScalarForm => ({
  answer: { type: 'number', description },
  input: { type: ['number', 'string'], description: `${description} A string of digits does as well.` },
  expected: 'a number',
  accepts: isDecimal,
  text: 'number'
})
const bigint: ScalarForm = {
  answer: {
    type: 'integer',
    format: 'int64',
    description: 'Every digit is sent; a reader that makes doubles of numbers rounds beyond 2^53.'
  },
  input: { type: ['integer', 'string'], format: 'int64', description: 'A string of digits does as well.' },
  expected: 'a whole number of 64 bits',
  accepts: isBigint,
  text: 'number'
}
const json: ScalarForm = { answer: { description: 'Any JSON.' }, expected: 'JSON', accepts: () => true, text: 'json' }
const geometry: ScalarForm = {
  answer: { type: 'object', description: 'GeoJSON.' },
  expected: 'GeoJSON',
  accepts: value => typeof value === 'object' && value !== null && !(value instanceof ExactNumber),
  text: 'json'
}
const timestamp = (answer: JsonSchema): ScalarForm => ({
  answer,
  expected: 'a time such as 2026-01-31T09:30:00Z',
  accepts: matches(TIMESTAMP)
})
const clock: ScalarForm = {
  answer: { type: 'string', description: 'Such as `09:30:00`, with an offset such as `+00` where the type has one.' },
  expected: 'a time of day such as 09:30:00',
  accepts: matches(CLOCK)
}
const exact = 'Every digit is sent; a reader that makes doubles of numbers may round.'

const TEXTS = ['name', 'bpchar', 'varchar', 'text', 'citext', 'inet', 'cidr', 'macaddr', 'macaddr8', 'ltree', 'lquery', 'ltxtquery']
const MORE_TEXTS = [
  'bytea',
  'xml',
  'tsvector',
  'tsquery',
  'bit',
  'varbit',
  'point',
  'int4range',
  'int8range',
  'numrange',
  'tsrange',
  'tstzrange'
]

/** The scalars by name: those of GraphQL, and Postgres' by the names that Hasura v2 gives them. Any other takes and gives any JSON. */
export const SCALAR_FORMS: ReadonlyMap<string, ScalarForm> = new Map<string, ScalarForm>([
  [
    'Int',
    {
      answer: { type: 'integer', format: 'int32' },
      expected: `a whole number from ${-INT_MAX - 1} to ${INT_MAX}`,
      accepts: value => isIntegerWithin(value, INT_MAX),
      text: 'number'
    }
  ],
  ['Float', { answer: { type: 'number' }, expected: 'a number', accepts: isDouble, text: 'number' }],
  ['Boolean', { answer: { type: 'boolean' }, expected: 'true or false', accepts: value => typeof value === 'boolean', text: 'boolean' }],
  ['String', text()],
  [
    'ID',
    {
      answer: { type: 'string' },
      input: { type: ['string', 'integer'] },
      expected: 'a string',
      accepts: value => isString(value) || Number.isInteger(value) || /^-?\d+$/.test(numberText(value) ?? '')
    }
  ],
  ['uuid', { answer: { type: 'string', format: 'uuid' }, expected: 'a UUID', accepts: matches(UUID) }],
  ['timestamptz', timestamp({ type: 'string', format: 'date-time' })],
  ['timestamp', timestamp({ type: 'string', description: 'Without a zone, such as `2026-01-31T09:30:00`.' })],
  ['date', { answer: { type: 'string', format: 'date' }, expected: 'a date such as 2026-01-31', accepts: matches(DATE) }],
  ['time', clock],
  ['timetz', clock],
  ['interval', text('As Postgres writes it, such as `1 day 02:00:00`.')],
  ['numeric', decimal(exact)],
  ['decimal', decimal(exact)],
  ['float4', decimal('A number of 32 bits.')],
  ['real', decimal('A number of 32 bits.')],
  ['float8', decimal('A number of 64 bits.')],
  ['bigint', bigint],
  ['bigserial', bigint],
  [
    'smallint',
    {
      answer: { type: 'integer', minimum: -32_768, maximum: 32_767 },
      expected: 'a whole number from -32768 to 32767',
      accepts: value => isIntegerWithin(value, 32_767),
      text: 'number'
    }
  ],
  ['money', { ...decimal(''), answer: { type: 'string', description: 'With its sign, such as `$1.00`.' }, accepts: () => true }],
  ['json', json],
  ['jsonb', json],
  ['geometry', geometry],
  ['geography', geometry],
  ...[...TEXTS, ...MORE_TEXTS].map((name): [string, ScalarForm] => [name, text()])
])

/** A scalar that nobody knows; in a query string it is read as JSON where it is an object or an array, else as a string. */
export const UNKNOWN_SCALAR: ScalarForm = { answer: {}, expected: 'any JSON', accepts: () => true, isUnknown: true }
