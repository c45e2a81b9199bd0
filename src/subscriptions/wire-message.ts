// Messages of graphql-transport-ws: written anew, and read without touching the payload, whose text goes on as it came.

import { readMembers } from '../json.ts'

/** The WebSocket subprotocol (graphql-ws, PROTOCOL.md). */
export const SUBPROTOCOL = 'graphql-transport-ws'

/** A message from Hasura; `payload` is the text it had, in Hasura's order of members and with every digit. */
export type WireMessage = { type: string; id: string | undefined; payload: string | undefined }

/**
 * Reads a message without touching its payload.
 * @returns undefined for what is no message of the protocol
 * @throws {RangeError} for one that is nested beyond the bounds of `readMembers`
 */
export function readMessage(text: string): WireMessage | undefined {
  const members = membersOf(text)
  const [type, id] = [textOf(members?.get('type')), textOf(members?.get('id'))]
  if (members === undefined || type === undefined || (members.has('id') && id === undefined)) return undefined
  return { type, id, payload: members.get('payload') }
}

/** The members, each of them JSON. */
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

// Our ids are digits, and Hasura writes them before the payload.
const ID_AT_HEAD = /"id"\s*:\s*"(\d+)"/

/** The id of a message that can't be read, where it stands before the payload. */
export const idAtHead = (text: string): string | undefined => ID_AT_HEAD.exec(text.slice(0, 256))?.[1]

/** `connection_init` with the headers that Hasura takes for those of the connection's requests. */
export const initMessage = (headers: Readonly<Record<string, string>>): string =>
  JSON.stringify({ type: 'connection_init', payload: { headers } })

/** `subscribe`, around a payload that is JSON already. */
export const subscribeMessage = (id: string, payload: string): string => `{"id":"${id}","type":"subscribe","payload":${payload}}`

/** `complete`: the answers to this id are wanted no longer. */
export const completeMessage = (id: string): string => `{"id":"${id}","type":"complete"}`

export const PING = '{"type":"ping"}'
export const PONG = '{"type":"pong"}'
