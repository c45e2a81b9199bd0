// Describes one stored operation as a path of the OpenAPI document.
import {
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isScalarType
} from 'graphql'
import { formOf } from '../../src/stored-operations/input-type.ts'
import type { StoredOperation } from '../../src/stored-operations/stored-operation.ts'
import { answerSchema } from './answer-schema.ts'
import { COMMON_PARAMETERS, responsesOf } from './common-parts.ts'
import type { Components, NameGiver } from './components.ts'
import { described, orNull, presentSchema } from './input-schema.ts'
import type { JsonSchema } from './scalar-schemas.ts'
import { type TypedVariable, typedVariables, variableSchema, variablesSchema } from './variables-schema.ts'

/**
 * Returns the path item: POST and, except for a mutation, GET.
 * @param schema undefined if there is none or the operation does not match it; the answer is then any GraphQL answer
 * @param nameOnce makes an `operationId` unique in the document
 */
export function operationPath(
  operation: StoredOperation,
  schema: GraphQLSchema | undefined,
  components: Components,
  nameOnce: NameGiver
): JsonSchema {
  const { kind, operationName, description, variables, example } = operation
  const typed = typedVariables(variables, schema)
  const data = (schema && answerSchema(operation, schema, components)) ?? { type: 'object', additionalProperties: true }
  const answer = components.add(`${operationName}Answer`, graphqlAnswer(data))
  const [summary, ...rest] = (description ?? `The ${kind} ${operationName}`).split('\n')
  const text = rest.join('\n').trim()
  const shared = { tags: ['operations'], summary }
  const post = {
    ...shared,
    ...described(text),
    operationId: nameOnce(kind === 'mutation' ? operationName : `${operationName}ByPost`),
    parameters: COMMON_PARAMETERS,
    ...(typed.length > 0 && { requestBody: requestBody(typed, example, components) }),
    responses: responsesOf('post', kind, answer)
  }
  if (kind === 'mutation') return { post }
  const get = {
    ...shared,
    ...described([text, preferPost(typed)].filter(Boolean).join('\n\n')),
    operationId: nameOnce(operationName),
    parameters: [...typed.map(one => parameter(one, example?.[one.variable.name], components)), ...COMMON_PARAMETERS],
    responses: responsesOf('get', kind, answer)
  }
  return { get, post }
}

/** Returns advice to use POST if the query string would have to contain a variable as JSON; else an empty string. */
function preferPost(typed: readonly TypedVariable[]): string {
  const names = typed.filter(({ type }) => isInputObjectType(getNamedType(type))).map(({ variable }) => `\`${variable.name}\``)
  if (names.length === 0) return ''
  const are = names.length === 1 ? 'it is an input object' : 'they are input objects'
  return `Use POST to send ${names.join(', ')}: ${are}, which a query string can only carry as JSON text.`
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

function requestBody(typed: readonly TypedVariable[], example: unknown, components: Components): JsonSchema {
  const required = typed.some(({ variable }) => variable.isRequired)
  const schema = variablesSchema(typed, components)
  return { required, description: 'The variables.', content: { 'application/json': { schema, ...given('example', example) } } }
}

function parameter(one: TypedVariable, example: unknown, components: Components): JsonSchema {
  const { name, isRequired, description, defaultValue } = one.variable
  const common = { name, in: 'query', required: isRequired, ...described(description) }
  const type = getNullableType(one.type)
  if (!isListType(type)) {
    const schema = presentSchema(type, components)
    if (!isJsonText(type)) return { ...common, schema: variableSchema(one, schema), ...given('example', example) }
    return { ...common, schema: { ...jsonText(schema), ...given('default', textOf(defaultValue)) }, ...given('example', textOf(example)) }
  }
  const list = { ...common, style: 'form', explode: true }
  const items = presentSchema(type.ofType, components)
  if (!isJsonText(type.ofType)) return { ...list, schema: variableSchema(one, { type: 'array', items }), ...given('example', example) }
  const texts = Array.isArray(example) ? example.map(textOf) : undefined
  return { ...list, schema: { type: 'array', items: jsonText(items) }, ...given('example', texts) }
}

const given = (keyword: string, value: unknown): JsonSchema => (value === undefined ? {} : { [keyword]: value })

/** Describes a string that contains JSON. OpenAPI's `content` would say it too, but client generators do not encode it, or fail. */
const jsonText = (schema: JsonSchema): JsonSchema => ({ type: 'string', contentMediaType: 'application/json', contentSchema: schema })

const textOf = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value))

/** Whether values of a type are written as JSON in a query string. */
function isJsonText(type: GraphQLInputType): boolean {
  const nullable = getNullableType(type)
  return isInputObjectType(nullable) || isListType(nullable) || (isScalarType(nullable) && formOf(nullable).text === 'json')
}
