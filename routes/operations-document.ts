// The stored operations' part of the OpenAPI document, made again when the schema has come.
import type { GraphQLSchema } from 'graphql'
import { Components } from '../src/stored-operations/input-schema.ts'
import { GRAPHQL_ERRORS, openapiPath } from '../src/stored-operations/openapi-operation.ts'
import type { OperationCatalog } from '../src/stored-operations/operation-catalog.ts'
import { COMMON_PARTS, ERROR_COMPONENTS, PARAMETER_COMPONENTS } from './operations.schema.ts'

/** What the rest of the document has given away: its operation ids and the names of its schemas. */
type TakenNames = { readonly operationIds: readonly string[]; readonly schemas: readonly string[] }

/** Gives the paths and components of all stored operations, made once for each schema. */
export function createDescription(catalog: OperationCatalog) {
  let made: { schema: GraphQLSchema | undefined; part: ReturnType<typeof describeOperations> } | undefined
  return (taken: TakenNames) => {
    const { schema } = catalog
    if (made === undefined || made.schema !== schema) made = { schema, part: describeOperations(catalog, taken) }
    return made.part
  }
}

function describeOperations(catalog: OperationCatalog, taken: TakenNames) {
  const components = new Components(['GraphqlErrors', ...taken.schemas])
  const nameOnce = createNameGiver(taken.operationIds)
  const paths = catalog.operations.map(operation => {
    const schema: GraphQLSchema | undefined = catalog.problems.has(operation) ? undefined : catalog.schema
    return [`/operations/${operation.name}`, openapiPath(operation, schema, components, COMMON_PARTS, nameOnce)] as const
  })
  return {
    paths: Object.fromEntries(paths),
    components: {
      schemas: { ...components.schemas, GraphqlErrors: GRAPHQL_ERRORS },
      responses: ERROR_COMPONENTS,
      parameters: PARAMETER_COMPONENTS
    }
  }
}

function createNameGiver(takenIds: Iterable<string>): (id: string) => string {
  const taken = new Set(takenIds)
  return id => {
    let free = id
    while (taken.has(free)) free += '_'
    taken.add(free)
    return free
  }
}
