// Runs GraphQL requests on the rows in memory and checks them in Hasura's order; subscriptions run again at each change.
import { EventEmitter, once } from 'node:events'
import { type ExecutionResult, executeSync, type GraphQLSchema, NoUnusedVariablesRule, specifiedRules, validate } from 'graphql'
import { createStore } from './data.ts'
import { HasuraError } from './hasura-error.ts'
import { type HasuraRequest, readRequest } from './hasura-request.ts'
import type { Role } from './hasura-session.ts'
import { inHasurasWords } from './hasura-wording.ts'
import { buildSandboxSchema, resolveField } from './schema.ts'
import { StreamPosition } from './stream-position.ts'

// Hasura accepts a declared variable that is not used, but rejects a value for one that is not declared.
const RULES = specifiedRules.filter(rule => rule !== NoUnusedVariablesRule)

/** Runs requests on its own rows. */
export type Engine = ReturnType<typeof createEngine>

/** Returns an engine with fresh rows. A mutation that fails leaves no trace. */
export function createEngine() {
  const store = createStore()
  const schemas: Record<Role, GraphQLSchema> = {
    service: buildSandboxSchema(),
    reader: buildSandboxSchema({ withMutations: false })
  }
  const changes = new EventEmitter<{ change: [] }>().setMaxListeners(0)

  /** Reads and checks a request's body. Throws a {@link HasuraError} for the first fault. */
  const prepare = (body: string, role: Role): HasuraRequest => {
    const request = readRequest(body)
    check(request, schemas[role])
    return request
  }

  const execute = ({ document, operation, variables }: HasuraRequest, role: Role, rootValue?: StreamPosition): ExecutionResult => {
    const before = { ...store }
    const { data, errors } = executeSync({
      schema: schemas[role],
      document,
      operationName: operation.name?.value,
      variableValues: variables,
      rootValue,
      contextValue: store,
      fieldResolver: resolveField,
      hideSuggestions: true
    })
    const [error] = errors ?? []
    if (error !== undefined) {
      Object.assign(store, before)
      throw inHasurasWords(error, document)
    }
    if (operation.operation === 'mutation') changes.emit('change')
    return { data: data ?? null }
  }

  /** The results of a subscription, each different from the last; those of a streaming one always have rows. Ends with the signal. */
  async function* live(request: HasuraRequest, role: Role, signal: AbortSignal): AsyncGenerator<ExecutionResult> {
    const position = new StreamPosition()
    let sent: string | undefined
    while (!signal.aborted) {
      const changed = once(changes, 'change', { signal }).catch(() => {})
      let result = execute(request, role, position)
      for (; position.batch > 0; result = execute(request, role, position)) yield result
      const text = JSON.stringify(result)
      if (!position.isUsed && text !== sent) yield result
      sent = text
      await changed
    }
  }

  /** Runs a query or a mutation that came over HTTP and returns the text of a successful response. Throws a {@link HasuraError}. */
  const run = (body: string, role: Role): string => {
    const request = prepare(body, role)
    if (request.operation.operation === 'subscription')
      throw new HasuraError('unexpected-payload', 'subscriptions are not supported over HTTP, use websockets instead')
    return JSON.stringify(execute(request, role))
  }

  return { run, prepare, execute, live, schemaOf: (role: Role) => schemas[role] }
}

function check({ document, operation, variables }: HasuraRequest, schema: GraphQLSchema): void {
  if (operation.operation === 'mutation' && !schema.getMutationType()) throw new HasuraError('validation-failed', 'no mutations exist')

  const declared = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value))
  const unexpected = Object.keys(variables).filter(name => !declared.has(name))
  if (unexpected.length > 0) throw new HasuraError('validation-failed', `unexpected variables in variableValues: ${unexpected.join(', ')}`)

  const [invalid] = validate(schema, document, RULES, { hideSuggestions: true, maxErrors: 1 })
  if (invalid !== undefined) throw inHasurasWords(invalid, document)
}
