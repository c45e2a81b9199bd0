// How Postgres' types are read from a request and written into an answer.
import { type ConstValueNode, GraphQLScalarType, type GraphQLSchema, Kind } from 'graphql'
import { HasuraError } from './hasura-error.ts'
import type { ColumnType } from './tables.ts'

const FORMS: Partial<Record<ColumnType, RegExp>> = {
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  bigint: /^[+-]?\d+$/,
  numeric: /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i,
  timestamptz: /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?$/
}

// Postgres' own name of a type, where it differs.
const SQL_NAMES: Partial<Record<ColumnType, string>> = { timestamptz: 'timestamp with time zone' }

/** Returns Postgres' error for a text that is not a value of the type. */
export function invalidSyntax(type: string, text: string): HasuraError {
  return new HasuraError('data-exception', `invalid input syntax for type ${type}: "${text}"`)
}

/** Gives the scalars of a schema their parsing and serialisation; `jsonb` takes anything. Numbers keep all their digits both ways. */
export function defineScalars(schema: GraphQLSchema): void {
  for (const type of ['uuid', 'bigint', 'numeric', 'timestamptz'] as const) {
    const scalar = schema.getType(type)
    if (!(scalar instanceof GraphQLScalarType)) continue
    scalar.coerceInputValue = value => read(type, textOf(value))
    scalar.coerceInputLiteral = literal => read(type, literalText(literal))
    scalar.coerceOutputValue = value => (type === 'bigint' || type === 'numeric' ? JSON.rawJSON(String(value)) : value)
  }
}

function read(type: ColumnType, text: string): unknown {
  if (!FORMS[type]?.test(text)) throw invalidSyntax(SQL_NAMES[type] ?? type, text)
  return type === 'bigint' ? BigInt(text) : text
}

/** A number that is kept as its text is an object, which JSON.stringify writes as that text. */
const textOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

function literalText(literal: ConstValueNode): string {
  return literal.kind === Kind.STRING || literal.kind === Kind.INT || literal.kind === Kind.FLOAT ? literal.value : literal.kind
}
