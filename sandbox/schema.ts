// The sandbox's GraphQL schema and how its fields get their values.
import { buildSchema, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql'
import type { Row, Store } from './data.ts'
import { type ListArguments, relatedRows, selectRows } from './filter.ts'
import { mutationResolvers } from './mutations.ts'
import { defineScalars } from './scalars.ts'
import { writeSdl } from './sdl.ts'
import { type StreamArguments, StreamPosition } from './stream-position.ts'
import { isTableName, TABLES } from './tables.ts'

/** Builds the schema as a role sees it; without mutations it has no `mutation_root`. Introspection works on both. */
export function buildSandboxSchema({ withMutations = true }: { readonly withMutations?: boolean } = {}): GraphQLSchema {
  const schema = buildSchema(writeSdl({ withMutations }))
  defineScalars(schema)
  return schema
}

/** Resolves each field from the store that `execute` gets as context value. */
export const resolveField: GraphQLFieldResolver<unknown, Store> = (source, args, store, { parentType, fieldName }) => {
  if (parentType.name === 'query_root') return resolveRoot(store, fieldName, args)
  if (parentType.name === 'subscription_root') return resolveLive(source, store, fieldName, args)
  if (parentType.name === 'mutation_root') return mutationResolvers[fieldName]?.(store, args)
  const row = source as Row
  const relationship = isTableName(parentType.name) ? TABLES[parentType.name].relationships[fieldName] : undefined
  if (relationship === undefined || !isTableName(parentType.name)) return row[fieldName]
  const related = relatedRows(store, parentType.name, fieldName, row)
  return relationship.kind === 'object' ? related[0] : selectRows(store, relationship.table, args, related)
}

function resolveLive(source: unknown, store: Store, fieldName: string, args: ListArguments & StreamArguments): unknown {
  const table = fieldName.replace(/_stream$/, '')
  if (table === fieldName || !isTableName(table)) return resolveRoot(store, fieldName, args)
  return source instanceof StreamPosition ? source.next(store, table, args) : []
}

function resolveRoot(store: Store, fieldName: string, args: ListArguments & { readonly id?: number }): unknown {
  const table = fieldName.replace(/_(?:by_pk|aggregate)$/, '')
  if (!isTableName(table)) return undefined
  if (fieldName.endsWith('_by_pk')) return store[table].find(row => row.id === args.id) ?? null
  const nodes = selectRows(store, table, args)
  return fieldName.endsWith('_aggregate') ? { aggregate: { count: nodes.length }, nodes } : nodes
}
