// Checks the variables that a caller sends for an operation, and reports all faults at once.
import type { GraphQLInputType, GraphQLSchema } from 'graphql'
import { GatewayError } from '../errors.ts'
import { DuplicateMemberError, readExact, writeMembers } from '../json.ts'
import { checkValue, isPlainObject, pathOf, type Report } from './check-value.ts'
import { inputTypeOf } from './input-type.ts'
import { type QueryText, readQueryText } from './read-query-text.ts'
import type { VariableDeclaration } from './stored-operation.ts'

/** The most faults that one message names. Checking stops there, since a body can contain a million. */
export const NAMED_FAULTS_MAX = 20
const NAME_SHOWN_MAX = 80

/** The JSON text of variables that passed the check, sent as it is; undefined if there are none. */
type CheckedVariables = string | undefined

/** Reads a caller's variables. Both methods throw a {@link GatewayError} `INVALID_REQUEST` that names every bad variable. */
export type OperationVariables = {
  /**
   * Reads variables from a JSON body, which is undefined if there is none.
   * @param members the text of each member of the body; undefined if it is not an object
   */
  fromBody(body: unknown, members: ReadonlyMap<string, string> | undefined): CheckedVariables
  /** Reads variables from a query string. */
  fromQuery(query: Readonly<Record<string, QueryText>>): CheckedVariables
}

/**
 * Creates the reader of an operation's variables.
 * @param schema without it, only built-in scalars are checked
 */
export function createOperationVariables(
  declarations: readonly VariableDeclaration[],
  schema: GraphQLSchema | undefined
): OperationVariables {
  const types = new Map<string, GraphQLInputType>(declarations.map(({ name, typeNode }) => [name, inputTypeOf(typeNode, schema)]))

  const check = (names: Iterable<string>, readValue: (name: string) => unknown, faults: Faults): void => {
    const given = new Set(names)
    for (const name of given) {
      const type = types.get(name)
      if (type === undefined) faults.report({ step: name }, 'is not a variable of this operation')
      else if (!faults.has(name)) faults.guard(name, () => checkValue(type, readValue(name), { step: name }, faults.report))
    }
    for (const { name, type, isRequired } of declarations) {
      if (isRequired && !given.has(name)) faults.report({ step: name }, `is missing (${type})`)
    }
    faults.throwIfAny()
  }

  return {
    fromBody(body, members = new Map()) {
      if (body !== undefined && !isPlainObject(body))
        throw new GatewayError('INVALID_REQUEST', { message: 'The body must be a JSON object of the variables.' })
      check(members.keys(), name => readExact(members.get(name) ?? ''), new Faults())
      // Written again from what was checked: of two members with the same name, Hasura would take the first.
      return members.size === 0 ? undefined : writeMembers(members)
    },
    fromQuery(query) {
      const faults = new Faults()
      const values = new Map<string, unknown>()
      for (const [name, text] of Object.entries(query)) {
        const type = types.get(name)
        values.set(name, type && faults.guard(name, () => readQueryText(type, text, { step: name }, faults.report)))
      }
      check(values.keys(), name => values.get(name), faults)
      return values.size === 0 ? undefined : JSON.stringify(Object.fromEntries(values))
    }
  }
}

/** Collects the faults in the variables of one request. */
class Faults {
  readonly #lines: string[] = []
  readonly #names = new Set<string>()

  readonly report: Report = (place, problem) => {
    const path = pathOf(place)
    this.#names.add(path.split(/[.[]/, 1)[0] ?? '')
    this.#lines.push(`"${shortened(path)}" ${problem}`)
    if (this.#lines.length >= NAMED_FAULTS_MAX) this.throwIfAny()
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  guard<T>(name: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (cause) {
      if (cause instanceof RangeError) throw new GatewayError('INVALID_REQUEST', { message: 'The variables are nested too deeply.', cause })
      if (!(cause instanceof DuplicateMemberError)) throw cause
      this.report({ step: name }, 'contains an object with two members of the same name')
      return undefined
    }
  }

  throwIfAny(): void {
    if (this.#lines.length === 0) return
    const end = this.#lines.length < NAMED_FAULTS_MAX ? '' : '; the rest was not checked'
    throw new GatewayError('INVALID_REQUEST', { message: `Variables: ${this.#lines.join('; ')}${end}` })
  }
}

const shortened = (path: string) => (path.length > NAME_SHOWN_MAX ? `${path.slice(0, NAME_SHOWN_MAX)}…` : path)
