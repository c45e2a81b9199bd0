// One stored operation as a path of the OpenAPI document.
import { type GraphQLInputType, type GraphQLSchema, getNullableType, isInputObjectType, isListType, isScalarType } from 'graphql'
import { answerSchema } from './answer-schema.ts'
import { type Components, described, inputSchema, orNull, presentSchema } from './input-schema.ts'
import { formOf, inputTypeOf } from './input-type.ts'
import type { JsonSchema } from './scalar-forms.ts'
import type { StoredKind, StoredOperation } from './stored-operation.ts'
import { literalValue, type VariableDeclaration } from './variable-declaration.ts'

/** What the document says of every stored operation alike. */
export type CommonParts = {
  readonly tags: readonly string[]
  /** Parameters that every operation takes. */
  readonly parameters: readonly JsonSchema[]
  /** The answers that are errors, by status. */
  errorsOf(kind: StoredKind, method: 'get' | 'post'): Readonly<Record<string, JsonSchema>>
  /** The answer 200 that holds a schema. */
  answerOf(schema: JsonSchema): JsonSchema
}

/** Gives an `operationId` that the document does not have yet. */
export type NameOnce = (id: string) => string

/**
 * The path item: GET for a query, and POST.
 * @param schema undefined where there is none or the operation does not fit it; the answer is then any GraphQL answer
 */
export function openapiPath(
  operation: StoredOperation,
  schema: GraphQLSchema | undefined,
  components: Components,
  common: CommonParts,
  nameOnce: NameOnce
): JsonSchema {
  const { kind, operationName, description, variables } = operation
  const typed = variables.map(variable => ({ variable, type: inputTypeOf(variable.typeNode, schema) }))
  const data = (schema && answerSchema(operation, schema, components)) ?? { type: 'object', additionalProperties: true }
  const [summary, ...rest] = (description ?? `The ${kind} ${operationName}`).split('\n')
  const text = rest.join('\n').trim()
  const shared = { tags: common.tags, summary, ...described(text) }
  const respond = (method: 'get' | 'post') => ({ 200: common.answerOf(graphqlAnswer(data)), ...common.errorsOf(kind, method) })
  const post = {
    ...shared,
    operationId: nameOnce(kind === 'query' ? `${operationName}ByPost` : operationName),
    parameters: common.parameters,
    ...(typed.length > 0 && { requestBody: requestBody(typed, components) }),
    responses: respond('post')
  }
  if (kind === 'mutation') return { post }
  const parameters = [...typed.map(one => parameter(one, components)), ...common.parameters]
  return { get: { ...shared, operationId: nameOnce(operationName), parameters, responses: respond('get') }, post }
}

type TypedVariable = { readonly variable: VariableDeclaration; readonly type: GraphQLInputType }

/** An answer of Hasura around the data of an operation (GraphQL specification, section 7.1). */
const graphqlAnswer = (data: JsonSchema): JsonSchema => ({
  type: 'object',
  properties: {
    data: orNull(data),
    errors: { $ref: '#/components/schemas/GraphqlErrors' },
    extensions: { type: 'object', additionalProperties: true }
  },
  additionalProperties: false
})

/** The `errors` of an answer of Hasura, a component that {@link openapiPath} refers to. */
export const GRAPHQL_ERRORS: JsonSchema = {
  type: 'array',
  minItems: 1,
  items: {
    type: 'object',
    required: ['message'],
    properties: { message: { type: 'string' }, extensions: { type: 'object', additionalProperties: true } },
    additionalProperties: true
  }
}

function requestBody(typed: readonly TypedVariable[], components: Components): JsonSchema {
  const required = typed.filter(({ variable }) => variable.isRequired).map(({ variable }) => variable.name)
  const schema = {
    type: 'object',
    properties: Object.fromEntries(typed.map(one => [one.variable.name, variableSchema(one, inputSchema(one.type, components))])),
    ...(required.length > 0 && { required }),
    additionalProperties: false
  }
  return { required: required.length > 0, description: 'The variables.', content: { 'application/json': { schema } } }
}

const variableSchema = ({ variable: { defaultValue, description } }: TypedVariable, schema: JsonSchema): JsonSchema => ({
  ...schema,
  ...described(description),
  ...(defaultValue && { default: literalValue(defaultValue) })
})

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
