// Splits a client's message into the part that the SDK reads and the arguments of a tool, which the service reads itself.
import { GatewayError } from '../../src/errors.ts'
import { readMembers, writeMembers } from '../../src/json.ts'

/**
 * The most commas in the part of a message that the SDK reads. Clients send twenty; the SDK takes up to 60 µs for each member that it
 * checks and refuses, and seconds for a megabyte of them.
 */
const COMMAS_MAX = 300

/** A JSON-RPC message without the tool's arguments, and their text if there are any. */
type ClientMessage = { readonly message: unknown; readonly argumentsText: string | undefined }

/**
 * Splits a message. Refuses a batch, which would run many operations for the rate limit of one (MCP has had no batches since 2025-06-18).
 * @param members the text of each member of the body
 * @throws {GatewayError} `INVALID_REQUEST`
 */
export function readMessage(members: ReadonlyMap<string, string> | undefined): ClientMessage {
  if (members === undefined) throw new GatewayError('INVALID_REQUEST', { message: 'The body must be one JSON-RPC message, not a batch.' })
  const { argumentsText, ...rest } = withoutArguments(members)
  const text = writeMembers(rest.members)
  if (text.split(',', COMMAS_MAX + 2).length > COMMAS_MAX + 1)
    throw new GatewayError('INVALID_REQUEST', { message: 'The message has too many members outside the arguments of a tool.' })
  return { message: JSON.parse(text), argumentsText }
}

function withoutArguments(members: ReadonlyMap<string, string>) {
  const params = new Map(readWithin(members.get('params')))
  const argumentsText = params.get('arguments')
  if (argumentsText === undefined) return { members, argumentsText }
  params.delete('arguments')
  return { members: new Map([...members, ['params', writeMembers(params)]]), argumentsText }
}

/**
 * Returns the original text of each argument, so that numbers keep their digits; undefined if there are none.
 * @throws {GatewayError} `INVALID_REQUEST`
 */
export function readArguments(text: string | undefined): ReadonlyMap<string, string> | undefined {
  const members = readWithin(text)
  if (text !== undefined && members === undefined)
    throw new GatewayError('INVALID_REQUEST', { message: 'The arguments must be a JSON object.' })
  return members
}

function readWithin(text = ''): ReadonlyMap<string, string> | undefined {
  try {
    return readMembers(text)
  } catch (cause) {
    if (cause instanceof RangeError) throw new GatewayError('INVALID_REQUEST', { message: `The message is ${cause.message}.`, cause })
    throw cause
  }
}
