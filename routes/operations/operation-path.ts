// One stored operation as a path of the OpenAPI document.
import { type GraphQLInputType, type GraphQLSchema, getNullableType, isInputObjectType, isListType, isScalarType } from 'graphql'
import { formOf } from '../../src/stored-operations/input-type.ts'
import type { StoredOperation } from '../../src/stored-operations/stored-operation.ts'
import { answerSchema } from './answer-schema.ts'
import { COMMON_PARAMETERS, responsesOf } from './common-parts.ts'
import type { Components, NameGiver } from './components.ts'
import { described, orNull, presentSchema } from './input-schema.ts'
import type { JsonSchema } from './scalar-schemas.ts'
import { type TypedVariable, typedVariables, variableSchema, variablesSchema } from './variables-schema.ts'

/**
 * Returns the path item: POST, and GET for all but a mutation.
 * @param schema undefined if there is none or the operation does not fit it; the answer is then any GraphQL answer
 * @param nameOnce gives an `operationId` that the document does not have yet
 */
export function operationPath(
  operation: StoredOperation,
  schema: GraphQLSchema | undefined,
  components: Components,
  nameOnce: NameGiver
): JsonSchema {
  const { kind, operationName, description, variables } = operation
  const typed = typedVariables(variables, schema)
  const data = (schema && answerSchema(operation, schema, components)) ?? { type: 'object', additionalProperties: true }
  const [summary, ...rest] = (description ?? `The ${kind} ${operationName}`).split('\n')
  const text = rest.join('\n').trim()
  const shared = { tags: ['operations'], summary, ...described(text) }
  const post = {
    ...shared,
    operationId: nameOnce(kind === 'mutation' ? operationName : `${operationName}ByPost`),
    parameters: COMMON_PARAMETERS,
    ...(typed.length > 0 && { requestBody: requestBody(typed, components) }),
    responses: responsesOf('post', kind, graphqlAnswer(data))
  }
  if (kind === 'mutation') return { post }
  const parameters = [...typed.map(one => parameter(one, components)), ...COMMON_PARAMETERS]
  return {
    get: { ...shared, operationId: nameOnce(operationName), parameters, responses: responsesOf('get', kind, graphqlAnswer(data)) },
    post
  }
}

/** Returns the schema of a whole answer from that of its data (GraphQL specification, section 7.1). */
const graphqlAnswer = (data: JsonSchema): JsonSchema => ({
  type: 'object',
  properties: {
    data: orNull(data),
    errors: { $ref: '#/components/schemas/GraphqlErrors' },
    extensions: { type: 'object', additionalProperties: true }
  },
  additionalProperties: false
})

function requestBody(typed: readonly TypedVariable[], components: Components): JsonSchema {
  const required = typed.some(({ variable }) => variable.isRequired)
  const schema = variablesSchema(typed, components)
  return { required, description: 'The variables.', content: { 'application/json': { schema } } }
}

function parameter(one: TypedVariable, components: Components): JsonSchema {
  const { name, isRequired, description } = one.variable
  const common = { name, in: 'query', required: isRequired, ...described(description) }
  const type = getNullableType(one.type)
  if (!isListType(type)) {
    const schema = variableSchema(one, presentSchema(type, components))
    return isJsonText(type) ? { ...common, content: { 'application/json': { schema } } } : { ...common, schema }
  }
  const item = presentSchema(type.ofType, components)
  const items = isJsonText(type.ofType) ? { type: 'string', contentMediaType: 'application/json', contentSchema: item } : item
  const schema = { type: 'array', items, ...(!isJsonText(type.ofType) && variableSchema(one, {})) }
  return { ...common, style: 'form', explode: true, schema }
}

/** Whether a query string holds values of a type as JSON. */
function isJsonText(type: GraphQLInputType): boolean {
  const nullable = getNullableType(type)
  return isInputObjectType(nullable) || isListType(nullable) || (isScalarType(nullable) && formOf(nullable).text === 'json')
}
