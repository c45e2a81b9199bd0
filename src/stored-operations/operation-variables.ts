// Checks the variables that a caller gives for one operation, and names every fault at once.
import type { GraphQLInputType, GraphQLSchema } from 'graphql'
import { GatewayError } from '../errors.ts'
import { checkValue, isPlainObject, type Report } from './check-value.ts'
import { inputTypeOf } from './input-type.ts'
import { type QueryText, readQueryText } from './read-query-text.ts'
import type { VariableDeclaration } from './stored-operation.ts'

/** The most faults that one message names; a body can hold a million. */
export const NAMED_FAULTS_MAX = 20
const NAME_SHOWN_MAX = 80

/** Variables that fit; undefined if there are none. */
type CheckedVariables = Readonly<Record<string, unknown>> | undefined

/** Reads what a caller gave. Both throw a {@link GatewayError} `INVALID_REQUEST` that names each wrong, missing and unknown variable. */
export type OperationVariables = {
  /** From a JSON body; undefined if there is none. */
  fromBody(body: unknown): CheckedVariables
  /** From a query string. */
  fromQuery(query: Readonly<Record<string, QueryText>>): CheckedVariables
}

/**
 * Makes what reads the variables of an operation.
 * @param schema without one, only the built-in scalars are checked
 */
export function createOperationVariables(
  declarations: readonly VariableDeclaration[],
  schema: GraphQLSchema | undefined
): OperationVariables {
  const types = new Map<string, GraphQLInputType>(declarations.map(({ name, typeNode }) => [name, inputTypeOf(typeNode, schema)]))

  const check = (given: Readonly<Record<string, unknown>>, faults: Faults): CheckedVariables => {
    for (const [name, value] of Object.entries(given)) {
      const type = types.get(name)
      if (type === undefined) faults.report(name, 'is not a variable of this operation')
      else if (!faults.has(name)) faults.guard(() => checkValue(type, value, name, faults.report))
    }
    for (const { name, type, isRequired } of declarations) {
      if (isRequired && !Object.hasOwn(given, name)) faults.report(name, `is missing (${type})`)
    }
    faults.throwIfAny()
    return Object.keys(given).length === 0 ? undefined : given
  }

  return {
    fromBody(body) {
      if (body === undefined) return check({}, new Faults())
      if (!isPlainObject(body)) throw new GatewayError('INVALID_REQUEST', { message: 'The body must be a JSON object of the variables.' })
      return check(body, new Faults())
    },
    fromQuery(query) {
      const faults = new Faults()
      const entries = Object.entries(query).map(([name, text]): [string, unknown] => {
        const type = types.get(name)
        return [name, type && faults.guard(() => readQueryText(type, text, name, faults.report))]
      })
      return check(Object.fromEntries(entries), faults)
    }
  }
}

/** Collects what is wrong with the variables of one request. */
class Faults {
  readonly #lines: string[] = []
  readonly #names = new Set<string>()
  #count = 0

  readonly report: Report = (path, problem) => {
    this.#count++
    this.#names.add(path.split(/[.[]/, 1)[0] ?? '')
    if (this.#count <= NAMED_FAULTS_MAX) this.#lines.push(`"${shortened(path)}" ${problem}`)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  guard<T>(work: () => T): T {
    try {
      return work()
    } catch (cause) {
      if (cause instanceof RangeError) throw new GatewayError('INVALID_REQUEST', { message: 'The variables are nested too deeply.', cause })
      throw cause
    }
  }

  throwIfAny(): void {
    if (this.#count === 0) return
    const more = this.#count > NAMED_FAULTS_MAX ? `; and ${this.#count - NAMED_FAULTS_MAX} more` : ''
    throw new GatewayError('INVALID_REQUEST', { message: `Variables: ${this.#lines.join('; ')}${more}` })
  }
}

const shortened = (path: string) => (path.length > NAME_SHOWN_MAX ? `${path.slice(0, NAME_SHOWN_MAX)}…` : path)
