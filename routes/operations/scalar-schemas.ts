// The JSON schemas of scalars: what Hasura sends and what it accepts for each.
import type { GraphQLScalarType } from 'graphql'
import { formOf } from '../../src/stored-operations/input-type.ts'
import { STRING_SCALARS } from '../../src/stored-operations/scalar-forms.ts'

/** A JSON schema (draft 2020-12) as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** The schemas of one scalar. */
type ScalarSchema = {
  /** What Hasura sends. */
  readonly answer: JsonSchema
  /** What Hasura accepts, if that is more than it sends. */
  readonly input?: JsonSchema
}

const string = (description?: string): ScalarSchema => ({ answer: { type: 'string', ...(description && { description }) } })
const decimal = (description: string): ScalarSchema => ({
  answer: { type: 'number', description },
  input: { type: ['number', 'string'], description: `${description} A string of digits is accepted too.` }
})
const bigint: ScalarSchema = {
  answer: {
    type: 'integer',
    format: 'int64',
    description: 'Every digit is sent; a parser that reads numbers as doubles rounds them beyond 2^53.'
  },
  input: { type: ['integer', 'string'], format: 'int64', description: 'A string of digits is accepted too.' }
}
const json: ScalarSchema = { answer: { description: 'Any JSON.' } }
const geometry: ScalarSchema = { answer: { type: 'object', description: 'GeoJSON.' } }
const clock = string('Such as `09:30:00`, with an offset such as `+00` if the type has one.')
const exact = 'Every digit is sent; a parser that reads numbers as doubles may round them.'

const SCALAR_SCHEMAS: ReadonlyMap<string, ScalarSchema> = new Map<string, ScalarSchema>([
  ...STRING_SCALARS.map((name): [string, ScalarSchema] => [name, string()]),
  ['Int', { answer: { type: 'integer', format: 'int32' } }],
  ['Float', { answer: { type: 'number' } }],
  ['Boolean', { answer: { type: 'boolean' } }],
  ['String', string()],
  ['ID', { answer: { type: 'string' }, input: { type: ['string', 'integer'] } }],
  ['uuid', { answer: { type: 'string', format: 'uuid' } }],
  ['timestamptz', { answer: { type: 'string', format: 'date-time' } }],
  ['timestamp', string('Without a zone, such as `2026-01-31T09:30:00`.')],
  ['date', { answer: { type: 'string', format: 'date' } }],
  ['time', clock],
  ['timetz', clock],
  ['interval', string('In the notation of Postgres, such as `1 day 02:00:00`.')],
  ['numeric', decimal(exact)],
  ['decimal', decimal(exact)],
  ['float4', decimal('A 32-bit number.')],
  ['real', decimal('A 32-bit number.')],
  ['float8', decimal('A 64-bit number.')],
  ['bigint', bigint],
  ['bigserial', bigint],
  ['smallint', { answer: { type: 'integer', minimum: -32_768, maximum: 32_767 } }],
  ['money', { ...decimal('In the units of the currency.'), ...string('With its sign, such as `$1.00`.') }],
  ['json', json],
  ['jsonb', json],
  ['geometry', geometry],
  ['geography', geometry]
])

/** Returns the schema of what Hasura sends for a scalar; any JSON for an unknown one. */
export const scalarAnswer = ({ name }: GraphQLScalarType): JsonSchema => SCALAR_SCHEMAS.get(name)?.answer ?? {}

/** Returns the schema of what Hasura accepts for a scalar; any JSON for one of which only the name is known. */
export function scalarInput(type: GraphQLScalarType): JsonSchema {
  const known = formOf(type).isUnknown ? undefined : SCALAR_SCHEMAS.get(type.name)
  return known?.input ?? known?.answer ?? {}
}
