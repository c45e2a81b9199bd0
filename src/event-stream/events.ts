// The events of GraphQL over Server-Sent Events, distinct connections mode (GraphQL over SSE, PROTOCOL.md).

/** The head of every stream: nothing on the way may keep it or hold it back (nginx, `X-Accel-Buffering`). */
export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no'
}

/** What stands before and behind an answer in its event. */
export const NEXT_START = 'event: next\ndata: '
export const EVENT_END = '\n\n'

/** An answer. A line break in it, which JSON allows between its tokens, begins another `data` line (HTML, section 9.2.6). */
export const nextEvent = (answer: string): string => `${NEXT_START}${LINE_BREAK.test(answer) ? inLines(answer) : answer}${EVENT_END}`

/** The end. Without a `data` line an EventSource would drop the event. */
export const COMPLETE_EVENT = 'event: complete\ndata:\n\n'

/** Keeps proxies from taking a quiet stream for a dead one. */
export const COMMENT = ':\n\n'

const LINE_BREAK = /[\r\n]/

/** Line breaks as `data` lines; the reader puts them together again. */
export const inLines = (text: string): string => text.replace(/\r\n|\r|\n/g, '\ndata: ')
