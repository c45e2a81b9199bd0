// Describes a stored operation as a tool of the Model Context Protocol.
import type { GraphQLSchema } from 'graphql'
import type { OperationCatalog } from '../../src/stored-operations/operation-catalog.ts'
import type { StoredOperation } from '../../src/stored-operations/stored-operation.ts'
import { answerSchema } from '../operations/answer-schema.ts'
import { GRAPHQL_ERRORS } from '../operations/common-parts.ts'
import { orNull } from '../operations/input-schema.ts'
import { typedVariables, variablesSchema } from '../operations/variables-schema.ts'
import { Definitions } from './definitions.ts'

type Tool = ReturnType<typeof describeTool>
const known = new WeakMap<StoredOperation, { readonly schema: GraphQLSchema | undefined; readonly tool: Tool }>()

/** Returns the tool that a client sees (MCP 2025-11-25, "Tools"), with an output schema if Hasura's schema is known. */
export function toolOf(operation: StoredOperation, catalog: OperationCatalog): Tool {
  const schema = catalog.misfits.has(operation) ? undefined : catalog.schema
  const last = known.get(operation)
  if (last?.schema === schema && last) return last.tool
  const tool = describeTool(operation, schema)
  known.set(operation, { schema, tool })
  return tool
}

function describeTool(operation: StoredOperation, schema: GraphQLSchema | undefined) {
  const { name, kind, operationName, description, variables } = operation
  const definitions = new Definitions()
  const inputSchema = definitions.complete(variablesSchema(typedVariables(variables, schema), definitions))
  const outputSchema = schema && outputSchemaOf(operation, schema)
  return {
    name,
    description: description ?? `The ${kind} ${operationName}.`,
    inputSchema,
    ...(outputSchema && { outputSchema }),
    annotations: kind === 'query' ? { readOnlyHint: true } : { readOnlyHint: false, destructiveHint: true }
  }
}

/** Returns the schema of a tool's output. Clients check errors against it too, so it allows members that only errors have. */
function outputSchemaOf(operation: StoredOperation, schema: GraphQLSchema) {
  const definitions = new Definitions()
  const data = answerSchema(operation, schema, definitions)
  return data && definitions.complete({ type: 'object', properties: { data: orNull(data), errors: GRAPHQL_ERRORS } })
}
