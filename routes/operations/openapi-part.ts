// Builds the part of the OpenAPI document that describes the stored operations.
import type { OpenAPIV3_1 } from 'openapi-types'
import type { OperationCatalog } from '../../src/stored-operations/operation-catalog.ts'
import { ERROR_COMPONENTS, GRAPHQL_ERRORS, PARAMETER_COMPONENTS } from './common-parts.ts'
import { Components, createNameGiver } from './components.ts'
import { operationPath } from './operation-path.ts'

/**
 * Returns the paths and components of all stored operations.
 * @param document the rest of the document, whose names are not reused
 */
export function describeOperations(catalog: OperationCatalog, { paths = {}, components = {} }: OpenAPIV3_1.Document) {
  const schemas = new Components(['GraphqlErrors', ...Object.keys(components.schemas ?? {})])
  const nameOnce = createNameGiver(
    Object.values(paths).flatMap(path => [path?.get?.operationId ?? [], path?.post?.operationId ?? []].flat())
  )
  const described = catalog.operations.map(operation => {
    const schema = catalog.misfits.has(operation) ? undefined : catalog.schema
    return [`/operations/${operation.name}`, operationPath(operation, schema, schemas, nameOnce)] as const
  })
  return {
    paths: Object.fromEntries(described),
    components: {
      schemas: { ...schemas.schemas, GraphqlErrors: GRAPHQL_ERRORS },
      responses: ERROR_COMPONENTS,
      parameters: PARAMETER_COMPONENTS
    }
  }
}
