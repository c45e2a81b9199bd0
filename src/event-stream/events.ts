// Writes the events of GraphQL over Server-Sent Events in distinct connections mode (GraphQL over SSE, PROTOCOL.md).

/** The headers of every event stream: no proxy may cache it or buffer it (nginx, `X-Accel-Buffering`). */
export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no'
}

/** The text before and after the answer in an event. */
export const NEXT_START = 'event: next\ndata: '
export const EVENT_END = '\n\n'

/** Returns the event for an answer. A line break, which JSON allows between tokens, starts another `data` line (HTML, section 9.2.6). */
export const nextEvent = (answer: string): string => `${NEXT_START}${LINE_BREAK.test(answer) ? inLines(answer) : answer}${EVENT_END}`

/** The last event. Without a `data` line, an EventSource would drop it. */
export const COMPLETE_EVENT = 'event: complete\ndata:\n\n'

/** A comment, which keeps proxies from closing a quiet stream. */
export const COMMENT = ':\n\n'

const LINE_BREAK = /[\r\n]/

/** Turns line breaks into `data` lines; the client joins them again. */
export const inLines = (text: string): string => text.replace(/\r\n|\r|\n/g, '\ndata: ')
