// A subscription as a caller asks for it, and which of them are equal.
import { readMembers } from '../json.ts'

/** One checked subscription. */
export type SubscriptionRequest = {
  /** The document, in which `operationName` is a subscription. */
  readonly query: string
  readonly operationName: string | undefined
  /** A JSON object's text, or undefined. */
  readonly variables: string | undefined
  /** What goes on as `x-hasura-role`, or undefined. */
  readonly role: string | undefined
}

/** The payload of `subscribe`. */
export function payloadOf({ query, operationName, variables }: SubscriptionRequest): string {
  const name = operationName === undefined ? '' : `,"operationName":${JSON.stringify(operationName)}`
  return `{"query":${JSON.stringify(query)}${variables === undefined ? '' : `,"variables":${variables}`}${name}}`
}

/** The same text for equal subscriptions: of one document, operation and role, with variables alike whatever their order. */
export const keyOf = ({ query, operationName, variables, role }: SubscriptionRequest): string =>
  JSON.stringify([
    role ?? null,
    operationName ?? null,
    variables === undefined ? [] : [...(readMembers(variables) ?? [])].sort(byName),
    query
  ])

const byName = ([one]: readonly [string, string], [other]: readonly [string, string]) => (one < other ? -1 : 1)
