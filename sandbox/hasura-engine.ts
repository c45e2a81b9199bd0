// Runs a GraphQL request on the rows in memory, in the order of checks of Hasura.
import { executeSync, type GraphQLSchema, NoUnusedVariablesRule, specifiedRules, validate } from 'graphql'
import { createStore } from './data.ts'
import { HasuraError } from './hasura-error.ts'
import { type HasuraRequest, readRequest } from './hasura-request.ts'
import type { Role } from './hasura-session.ts'
import { inHasurasWords } from './hasura-wording.ts'
import { buildSandboxSchema, resolveField } from './schema.ts'

// Hasura lets a declared variable go unused; it minds a value sent for one that is not declared.
const RULES = specifiedRules.filter(rule => rule !== NoUnusedVariablesRule)

/**
 * Gives an engine with rows of its own: a function from a request's body to the text of a successful answer. It throws a
 * {@link HasuraError} for everything else, the first thing wrong only; a mutation that fails leaves no trace.
 */
export function createEngine(): (body: string, role: Role) => string {
  const store = createStore()
  const schemas: Record<Role, GraphQLSchema> = {
    service: buildSandboxSchema(),
    reader: buildSandboxSchema({ withMutations: false })
  }
  return (body, role) => {
    const request = readRequest(body)
    check(request, schemas[role])
    const { document, operation, variables } = request
    const before = { ...store }
    const { data, errors } = executeSync({
      schema: schemas[role],
      document,
      operationName: operation.name?.value,
      variableValues: variables,
      contextValue: store,
      fieldResolver: resolveField,
      hideSuggestions: true
    })
    const [error] = errors ?? []
    if (error === undefined) return JSON.stringify({ data })
    Object.assign(store, before)
    throw inHasurasWords(error, document)
  }
}

function check({ document, operation, variables }: HasuraRequest, schema: GraphQLSchema): void {
  if (operation.operation === 'subscription')
    throw new HasuraError('unexpected-payload', 'subscriptions are not supported over HTTP, use websockets instead')
  if (operation.operation === 'mutation' && !schema.getMutationType()) throw new HasuraError('validation-failed', 'no mutations exist')

  const declared = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value))
  const unexpected = Object.keys(variables).filter(name => !declared.has(name))
  if (unexpected.length > 0) throw new HasuraError('validation-failed', `unexpected variables in variableValues: ${unexpected.join(', ')}`)

  const [invalid] = validate(schema, document, RULES, { hideSuggestions: true, maxErrors: 1 })
  if (invalid !== undefined) throw inHasurasWords(invalid, document)
}
