// Folders of stored operations for tests, and a schema to type them by.
import { setImmediate } from 'node:timers/promises'
import { buildSchema, introspectionFromSchema } from 'graphql'
import type { Test } from 'tap'
import { loadOperations } from '../../src/stored-operations/load-operations.ts'
import type { OperationCatalog } from '../../src/stored-operations/operation-catalog.ts'
import { readOperationFolder } from '../../src/stored-operations/operation-folder.ts'
import { OperationsError } from '../../src/stored-operations/operations-error.ts'
import { createCatalog } from '../../src/stored-operations/type-operations.ts'
import { type Answer, sendJson } from '../support/fake-server.ts'
import { type Gateway, givesData } from '../support/gateway.ts'

/** Files by name; an object is a subfolder. */
export type Files = { readonly [name: string]: string | Files }

/** Returns the catalog of a folder with these files. */
export function catalogOf(t: Test, files: Files): OperationCatalog {
  return createCatalog(loadOperations(readOperationFolder(t.testdir(files))).operations)
}

/** Returns the errors in a folder with these files: `file:line reason`, without the path of the folder. */
export function faultsOf(t: Test, files: Files): string[] {
  const folder = t.testdir(files)
  try {
    loadOperations(readOperationFolder(folder))
    return []
  } catch (error) {
    if (!(error instanceof OperationsError)) throw error
    return error.problems.map(({ file, line, reason }) => `${file.slice(folder.length + 1)}:${line ?? ''} ${reason}`)
  }
}

/** A schema with every kind of type. */
export const SCHEMA = buildSchema(`
  scalar uuid scalar timestamptz scalar numeric scalar bigint scalar jsonb scalar date scalar mystery
  enum order_by { asc desc }
  interface Node { id: ID! }
  type User implements Node { id: ID! name: String nick: String @deprecated(reason: "use name") friends(first: Int): [User!]! settings: jsonb
    balance: numeric! big: bigint at: timestamptz! ref: uuid! born: date kind: order_by tags: [String] }
  type Team implements Node { id: ID! title: String! members: [User!] }
  union Owner = User | Team
  input Int_comparison_exp { _eq: Int _in: [Int!] }
  input user_bool_exp { _and: [user_bool_exp!] _not: user_bool_exp id: Int_comparison_exp }
  input user_insert { name: String! kind: order_by = asc }
  input one_of @oneOf { a: Int b: String }
  type Query { me: User user(id: ID): User users(where: user_bool_exp, order_by: [order_by!], n: [Int!]): [User!]! node(id: ID): Node owner: Owner owners: [Owner!] }
  type Mutation { add(user: user_insert!): User }
`)

const INTROSPECTION = JSON.stringify({ data: introspectionFromSchema(SCHEMA) })

/** A Hasura that answers introspection, and everything else with the test's answer. */
export const tellsSchema =
  (answer: Answer = givesData): Answer =>
  (response, request, count) =>
    request.body.includes('IntrospectionQuery') ? sendJson(response, INTROSPECTION) : answer(response, request, count)

/** Returns what Hasura received, without introspection. */
export const operationsSent = ({ hasura }: Gateway) =>
  hasura.received.map(({ body }) => body).filter(body => !body.includes('IntrospectionQuery'))

/** Resolves when the schema has arrived by introspection. */
export async function schemaHasCome({ app }: Pick<Gateway, 'app'>): Promise<void> {
  await app.operations.whenReady()
  while (app.operations.current.schema === undefined) await setImmediate()
}

/** Operations that match {@link SCHEMA}, with parameters and answers of every kind; the names of two may clash with others. */
export const FILES_OF_EVERY_KIND: Files = {
  'list.graphql': `# A list.
# Of users.
#
# @example {"where": {"id": {"_eq": 1}}, "n": [1, 2]}
query List($where: user_bool_exp, $n: [Int!]!, $order: [order_by!] = [asc]) {
  users(where: $where, n: $n, order_by: $order) { ...UserParts }
}`,
  'list-by-post.graphql': 'query ListByPost { me { id } }',
  'list-operations.graphql': 'query listOperations { __typename }',
  'me.graphql': 'query Me { me { ...UserParts } }',
  'owners.graphql': 'query Owners { owners { __typename ... on User { name } ... on Team { title members { id } } } node { id } }',
  'add.graphql': 'mutation Add($user: user_insert!) { add(user: $user) { id } }',
  fragments: { 'user.graphql': 'fragment UserParts on User { id name balance big at ref born kind tags settings }' }
}
