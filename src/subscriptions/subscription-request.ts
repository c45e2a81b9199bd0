// A subscription as a caller requests it, its payload, and the key by which equal ones are shared.
import { readMembers } from '../json.ts'

/** One checked subscription. */
export type SubscriptionRequest = {
  /** The document, in which `operationName` is a subscription. */
  readonly query: string
  readonly operationName: string | undefined
  /** The text of a JSON object, or undefined. */
  readonly variables: string | undefined
  /** The `x-hasura-role` to send, or undefined. */
  readonly role: string | undefined
}

/** Returns the payload of the message `subscribe`. */
export function payloadOf({ query, operationName, variables }: SubscriptionRequest): string {
  const name = operationName === undefined ? '' : `,"operationName":${JSON.stringify(operationName)}`
  return `{"query":${JSON.stringify(query)}${variables === undefined ? '' : `,"variables":${variables}`}${name}}`
}

/** Returns the same text for equal subscriptions: the same document, operation, role and variables, in any order. */
export const keyOf = ({ query, operationName, variables, role }: SubscriptionRequest): string =>
  JSON.stringify([
    role ?? null,
    operationName ?? null,
    variables === undefined ? [] : [...(readMembers(variables) ?? [])].sort(byName),
    query
  ])

const byName = ([one]: readonly [string, string], [other]: readonly [string, string]) => (one < other ? -1 : 1)
