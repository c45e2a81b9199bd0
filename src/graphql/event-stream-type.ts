// The media type of event streams, and who asks for it.
import Negotiator from 'negotiator'

/** The type of GraphQL over Server-Sent Events (GraphQL over SSE, PROTOCOL.md; HTML, section 9.2). */
export const EVENT_STREAM_TYPE = 'text/event-stream'
/** A longer header names it for nobody's good. */
const HEADER_MAX_LENGTH = 1_024

/**
 * Whether a caller asks for an event stream by its name. A mere `*` beside it is what clients send that know of none, and they would wait for the
 * end of an answer that has none.
 */
export function acceptsEventStream(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > HEADER_MAX_LENGTH || !accept.toLowerCase().includes('text/event-stream')) return false
  return new Negotiator({ headers: { accept } }).mediaTypes().some(type => type.toLowerCase() === EVENT_STREAM_TYPE)
}
