// The media type of event streams, and whether a caller accepts it.
import Negotiator from 'negotiator'
import { HEADER_MAX_LENGTH } from './negotiation.ts'

/** The type of GraphQL over Server-Sent Events (GraphQL over SSE, PROTOCOL.md; HTML, section 9.2). */
export const EVENT_STREAM_TYPE = 'text/event-stream'

/**
 * Whether `Accept` names `text/event-stream`. A wildcard does not count: clients that send one do not know event streams, and would wait
 * for an answer that does not end.
 */
export function acceptsEventStream(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > HEADER_MAX_LENGTH || !accept.toLowerCase().includes(EVENT_STREAM_TYPE)) return false
  return new Negotiator({ headers: { accept } }).mediaTypes().some(type => type.toLowerCase() === EVENT_STREAM_TYPE)
}
