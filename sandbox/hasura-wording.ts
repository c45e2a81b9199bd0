// Reports in Hasura's words what GraphQL.js found wrong with a document.
import { type ASTNode, BREAK, type DocumentNode, GraphQLError, Kind, visit } from 'graphql'
import { HasuraError } from './hasura-error.ts'
import { invalidSyntax } from './scalars.ts'

type Translation = readonly [pattern: RegExp, translate: (match: readonly string[], path: string) => HasuraError]

const TRANSLATIONS: readonly Translation[] = [
  [
    /^Cannot query field "(.+?)" on type "(.+?)"/,
    ([, field, type], path) => invalid(`field '${field}' not found in type: '${type}'`, path)
  ],
  [
    /type "(.+?)" not to include unknown field "(.+?)"/,
    ([, type, field], path) => invalid(`field '${field}' not found in type: '${type}'`, path)
  ],
  [
    /^Unknown argument "(.+?)" on field ".+\.(.+?)"/,
    ([, name, field], path) => invalid(`'${field}' has no argument named '${name}'`, path)
  ],
  [/^Argument ".+\((.+):\)" of type/, ([, name], path) => invalid(`missing required field '${name}'`, `${path}.args.${name}`)],
  [/^Field "(.+?)" .+ must have a selection/, ([, field], path) => invalid(`missing selection set for '${field}'`, path)],
  [/must not have a selection/, (_match, path) => invalid('unexpected subselection set for non-object field', path)],
  [/^Variable "\$(.+?)" is not defined/, ([, name], path) => invalid(`unbound variable "${name}"`, path)],
  [
    /^Variable "\$(.+?)" has invalid value: .*to be provided/,
    ([, name]) => invalid(`expecting a value for non-nullable variable: "${name}"`)
  ],
  [/non-null type "(.+?)" not to be null/, ([, type], path) => invalid(`null value found for non-nullable type: "${type}"`, path)],
  [
    /^Variable "\$(.+?)" of type "(.+?)" used in position expecting type "(.+?)"/,
    ([, name, declared, expected]) => invalid(`variable '${name}' is declared as '${declared}', but used where '${expected}' is expected`)
  ],
  [/Int cannot represent non-integer value: "(.*)"/, ([, text]) => invalidSyntax('integer', text ?? '')]
]

/** Returns Hasura's error for one of GraphQL.js; a {@link HasuraError} thrown while reading or resolving stays as it is. */
export function inHasurasWords(error: GraphQLError, document: DocumentNode): HasuraError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause instanceof GraphQLError ? cause.originalError : undefined)
    if (cause instanceof HasuraError) return cause
  const path = pathTo(document, error.nodes?.[0])
  for (const [pattern, translate] of TRANSLATIONS) {
    const match = pattern.exec(error.message)
    if (match !== null) return translate(match, path)
  }
  return invalid(error.message, path)
}

function invalid(message: string, path?: string): HasuraError {
  return new HasuraError('validation-failed', message, path)
}

function pathTo(document: DocumentNode, target: ASTNode | undefined): string {
  let path = '$'
  visit(document, {
    enter(node, _key, _parent, _path, ancestors) {
      if (node !== target) return undefined
      const nodes = [...ancestors.filter(ancestor => 'kind' in ancestor), node]
      path += nodes.map(segment).join('')
      return BREAK
    }
  })
  return path
}

function segment(node: ASTNode): string {
  if (node.kind === Kind.FIELD) return `.selectionSet.${node.name.value}`
  if (node.kind === Kind.ARGUMENT) return `.args.${node.name.value}`
  return node.kind === Kind.OBJECT_FIELD ? `.${node.name.value}` : ''
}
