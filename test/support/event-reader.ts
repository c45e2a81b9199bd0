// Reads an event stream as its caller does, event by event.
import { type IncomingMessage, request } from 'node:http'

/** One event; a comment has the type `comment`. */
type ReadEvent = { type: string; data: string | undefined }

/** An answer, which may be a stream. */
type EventReader = {
  status: number
  headers: IncomingMessage['headers']
  /** The next event; undefined at the end. */
  next(): Promise<ReadEvent | undefined>
  /** How it ended: `end`, or `broken`. */
  ended: Promise<'end' | 'broken'>
  response: IncomingMessage
  close(): void
}

/** The request of a caller. */
type EventRequest = { body?: unknown; headers?: Record<string, string> }

/** Requests an event stream: with POST if there is a body. */
export function openEvents(url: string, { body, headers = {} }: EventRequest = {}): Promise<EventReader> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const type: Record<string, string> = text === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: text === undefined ? 'GET' : 'POST',
      agent: false,
      headers: { accept: 'text/event-stream', ...type, ...headers }
    })
    sent.once('response', response => resolve(readerOf(response)))
    sent.once('error', reject)
    sent.end(text)
  })
}

function readerOf(response: IncomingMessage): EventReader {
  let rest = ''
  const events: ReadEvent[] = []
  let isOver = false
  let wake = () => {}
  const ended = Promise.withResolvers<'end' | 'broken'>()
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop() ?? ''
    events.push(...parts.map(parseEvent))
    wake()
  })
  response.on('error', () => {})
  response.once('close', () => {
    isOver = true
    ended.resolve(response.complete ? 'end' : 'broken')
    wake()
  })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    response,
    ended: ended.promise,
    async next() {
      while (events.length === 0 && !isOver) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return events.shift()
    },
    close: () => void response.destroy()
  }
}

function parseEvent(block: string): ReadEvent {
  const lines = block.split('\n')
  if (lines.every(line => line.startsWith(':'))) return { type: 'comment', data: undefined }
  const values = (name: string) =>
    lines.filter(line => line.startsWith(`${name}:`)).map(line => line.slice(name.length + 1).replace(/^ /, ''))
  const data = values('data')
  return { type: values('event')[0] ?? 'message', data: data.length > 0 ? data.join('\n') : undefined }
}
