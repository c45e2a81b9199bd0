// Reads the JSON body of a GraphQL request and the operation it selects.
import { type DocumentNode, Kind, type OperationDefinitionNode, parse } from 'graphql'
import { HasuraError } from './hasura-error.ts'

/** A request whose document parses. */
export interface HasuraRequest {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  /** Numbers that JavaScript would round are kept as text. */
  readonly variables: Readonly<Record<string, unknown>>
}

/** Reads a request's body. Throws `invalid-json`, `parse-failed` or `validation-failed`. Unknown members are ignored. */
export function readRequest(text: string): HasuraRequest {
  const { query, variables, operationName } = readBody(text)
  if (typeof query !== 'string') throw new HasuraError('parse-failed', "the key 'query' was not present")
  const document = readDocument(query)
  const operation = chooseOperation(document, operationName)
  return { document, operation, variables: isRecord(variables) ? variables : {} }
}

function readBody(text: string): Record<string, unknown> {
  let body: unknown
  try {
    body = JSON.parse(text, keepDigits)
  } catch {
    throw new HasuraError('invalid-json', 'Error in $: not enough input. Expecting object or array')
  }
  if (!isRecord(body)) throw new HasuraError('parse-failed', 'expected an object')
  return body
}

/** A reviver for `JSON.parse`: numbers that JavaScript would round or shorten (9007199254740993, 19.90, 1e400) keep their text. */
export function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  if (typeof value !== 'number' || source === undefined) return value
  return Number.isSafeInteger(value) || String(value) === source ? value : JSON.rawJSON(source)
}

function readDocument(query: string): DocumentNode {
  try {
    return parse(query)
  } catch {
    throw new HasuraError('validation-failed', 'not a valid graphql query', '$.query')
  }
}

function chooseOperation(document: DocumentNode, name: unknown): OperationDefinitionNode {
  const operations = document.definitions.filter(definition => definition.kind === Kind.OPERATION_DEFINITION)
  if (typeof name === 'string') {
    const named = operations.find(operation => operation.name?.value === name)
    if (named === undefined) throw new HasuraError('validation-failed', `no such operation found in the document: "${name}"`)
    return named
  }
  const [only, ...others] = operations
  if (only === undefined || others.length > 0)
    throw new HasuraError(
      'validation-failed',
      'exactly one operation has to be present in the document when operationName is not specified'
    )
  return only
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
