// Writes and reads messages of graphql-transport-ws; a payload keeps its text.
import { readMembers } from '../json.ts'

/** The WebSocket subprotocol (graphql-ws, PROTOCOL.md). */
export const SUBPROTOCOL = 'graphql-transport-ws'

/** A message from Hasura; `payload` is its original text, with Hasura's order of members and every digit. */
export type WireMessage = { type: string; id: string | undefined; payload: string | undefined }

/**
 * Reads a message and keeps the text of its payload.
 * @returns undefined if the text is not a message of the protocol
 * @throws {RangeError} if it exceeds the limits of `readMembers`
 */
export function readMessage(text: string): WireMessage | undefined {
  const members = membersOf(text)
  const [type, id] = [textOf(members?.get('type')), textOf(members?.get('id'))]
  if (members === undefined || type === undefined || (members.has('id') && id === undefined)) return undefined
  return { type, id, payload: members.get('payload') }
}

/** Returns the members, having checked that each is JSON. */
function membersOf(text: string): ReadonlyMap<string, string> | undefined {
  try {
    const members = readMembers(text)
    for (const member of members?.values() ?? []) JSON.parse(member)
    return members
  } catch (error) {
    if (error instanceof RangeError) throw error
    return undefined
  }
}

function textOf(member: string | undefined): string | undefined {
  const value: unknown = member === undefined ? undefined : JSON.parse(member)
  return typeof value === 'string' ? value : undefined
}

// The ids of this service are digits, and Hasura writes them before the payload.
const ID_AT_HEAD = /"id"\s*:\s*"(\d+)"/

/** Returns the id of a message that cannot be read, if the id precedes the payload. */
export const idAtHead = (text: string): string | undefined => ID_AT_HEAD.exec(text.slice(0, 256))?.[1]

/** Returns `connection_init` with the headers that Hasura applies to all requests on the connection. */
export const initMessage = (headers: Readonly<Record<string, string>>): string =>
  JSON.stringify({ type: 'connection_init', payload: { headers } })

/** Returns `subscribe` with a payload that is already JSON. */
export const subscribeMessage = (id: string, payload: string): string => `{"id":"${id}","type":"subscribe","payload":${payload}}`

/** Returns `complete`, which ends the subscription with this id. */
export const completeMessage = (id: string): string => `{"id":"${id}","type":"complete"}`

export const PING = '{"type":"ping"}'
export const PONG = '{"type":"pong"}'
