// One stored operation as a path of the OpenAPI document.
import {
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isScalarType
} from 'graphql'
import { formOf, inputTypeOf } from '../../src/stored-operations/input-type.ts'
import type { StoredOperation, VariableDeclaration } from '../../src/stored-operations/stored-operation.ts'
import { answerSchema } from './answer-schema.ts'
import { COMMON_PARAMETERS, responsesOf } from './common-parts.ts'
import type { Components, NameGiver } from './components.ts'
import { described, inputSchema, orNull, presentSchema } from './input-schema.ts'
import type { JsonSchema } from './scalar-schemas.ts'

/**
 * Returns the path item: GET for a query, and POST.
 * @param schema undefined if there is none or the operation does not fit it; the answer is then any GraphQL answer
 * @param nameOnce gives an `operationId` that the document does not have yet
 */
export function operationPath(
  operation: StoredOperation,
  schema: GraphQLSchema | undefined,
  components: Components,
  nameOnce: NameGiver
): JsonSchema {
  const { kind, operationName, description, variables, example } = operation
  const typed = variables.map(variable => ({ variable, type: inputTypeOf(variable.typeNode, schema), example: example?.[variable.name] }))
  const data = (schema && answerSchema(operation, schema, components)) ?? { type: 'object', additionalProperties: true }
  const answer = components.add(`${operationName}Answer`, graphqlAnswer(data))
  const [summary, ...rest] = (description ?? `The ${kind} ${operationName}`).split('\n')
  const text = rest.join('\n').trim()
  const shared = { tags: ['operations'], summary }
  const post = {
    ...shared,
    ...described(text),
    operationId: nameOnce(kind === 'query' ? `${operationName}ByPost` : operationName),
    parameters: COMMON_PARAMETERS,
    ...(typed.length > 0 && { requestBody: requestBody(typed, example, components) }),
    responses: responsesOf('post', answer)
  }
  if (kind === 'mutation') return { post }
  const get = {
    ...shared,
    ...described([text, preferPost(typed)].filter(Boolean).join('\n\n')),
    operationId: nameOnce(operationName),
    parameters: [...typed.map(one => parameter(one, components)), ...COMMON_PARAMETERS],
    responses: responsesOf('get', answer)
  }
  return { get, post }
}

/** Advises against GET where a variable would have to be written as JSON into the query string. */
function preferPost(typed: readonly TypedVariable[]): string {
  const names = typed.filter(({ type }) => isInputObjectType(getNamedType(type))).map(({ variable }) => `\`${variable.name}\``)
  if (names.length === 0) return ''
  const [objects, are, text] = names.length === 1 ? ['an input object', 'is', 'it'] : ['input objects', 'are', 'they']
  return `Use POST to send ${names.join(', ')}: ${text} ${are} ${objects}, which a query string can only carry as JSON text.`
}

type TypedVariable = {
  readonly variable: VariableDeclaration
  readonly type: GraphQLInputType
  /** A value to show; undefined where the file gives none. */
  readonly example: unknown
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
  const required = typed.filter(({ variable }) => variable.isRequired).map(({ variable }) => variable.name)
  const schema = {
    type: 'object',
    properties: Object.fromEntries(typed.map(one => [one.variable.name, variableSchema(one, inputSchema(one.type, components))])),
    ...(required.length > 0 && { required }),
    additionalProperties: false
  }
  return { required: required.length > 0, description: 'The variables.', content: { 'application/json': { schema, ...shown(example) } } }
}

const given = (keyword: string, value: unknown): JsonSchema => (value === undefined ? {} : { [keyword]: value })
/** Returns the `example` of a parameter or a body, if there is one. */
const shown = (example: unknown): JsonSchema => given('example', example)

const variableSchema = ({ variable: { defaultValue, description } }: TypedVariable, schema: JsonSchema): JsonSchema => ({
  ...schema,
  ...described(description),
  ...given('default', defaultValue)
})

function parameter(one: TypedVariable, components: Components): JsonSchema {
  const { name, isRequired, description, defaultValue } = one.variable
  const common = { name, in: 'query', required: isRequired, ...described(description) }
  const type = getNullableType(one.type)
  if (!isListType(type)) {
    const schema = presentSchema(type, components)
    if (isJsonText(type))
      return { ...common, schema: { ...jsonText(schema), ...given('default', textOf(defaultValue)) }, ...shown(textOf(one.example)) }
    return { ...common, schema: variableSchema(one, schema), ...shown(one.example) }
  }
  const items = presentSchema(type.ofType, components)
  if (isJsonText(type.ofType))
    return { ...common, ...LIST_STYLE, schema: { type: 'array', items: jsonText(items) }, ...shown(textsOf(one.example)) }
  return { ...common, ...LIST_STYLE, schema: variableSchema(one, { type: 'array', items }), ...shown(one.example) }
}

/** Describes JSON in a string. `content` would say it too, but generators of clients make no text of it, or fail. */
const jsonText = (schema: JsonSchema): JsonSchema => ({ type: 'string', contentMediaType: 'application/json', contentSchema: schema })

const textOf = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value))
const textsOf = (value: unknown): unknown => (Array.isArray(value) ? value.map(textOf) : undefined)

/** How a query string holds a list: the parameter once for each item. */
const LIST_STYLE = { style: 'form', explode: true }

/** Whether a query string holds values of a type as JSON. */
function isJsonText(type: GraphQLInputType): boolean {
  const nullable = getNullableType(type)
  return isInputObjectType(nullable) || isListType(nullable) || (isScalarType(nullable) && formOf(nullable).text === 'json')
}
