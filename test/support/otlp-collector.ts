// A collector of traces on loopback that accepts OTLP over HTTP (opentelemetry-proto, trace/v1/trace.proto) and decodes what the tests need.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { listen } from './listen.ts'

/** One exported span; IDs in hexadecimal, an empty parent for the first span of a trace. */
type ExportedSpan = { name: string; traceId: string; spanId: string; parentId: string; attributes: Record<string, string> }

/** A running collector. */
export type Collector = {
  url: string
  spans: ExportedSpan[]
  /** Everything that was received, to search for what must not be in it. */
  bytes: Buffer[]
  close(): Promise<void>
}

/** Starts a collector on a free port of 127.0.0.1. */
export async function startCollector(): Promise<Collector> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    collector.bytes.push(body)
    for (const resource of fieldsOf(body, 1))
      for (const scope of fieldsOf(resource, 2)) collector.spans.push(...fieldsOf(scope, 2).map(readSpan))
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
  const collector: Collector = {
    url: `http://127.0.0.1:${await listen(server)}`,
    spans: [],
    bytes: [],
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
  return collector
}

function readSpan(span: Buffer): ExportedSpan {
  const text = (field: number, encoding: BufferEncoding) => fieldsOf(span, field)[0]?.toString(encoding) ?? ''
  const attributes = fieldsOf(span, 9).map(pair => {
    const value = fieldsOf(pair, 2)[0] ?? Buffer.alloc(0)
    const [textOrWhole] = [...fieldsOf(value, 1), ...fieldsOf(value, 3)]
    return [fieldsOf(pair, 1)[0]?.toString(), textOrWhole?.toString() ?? '(neither a text nor a whole number)']
  })
  return {
    name: text(5, 'utf8'),
    traceId: text(1, 'hex'),
    spanId: text(2, 'hex'),
    parentId: text(4, 'hex'),
    attributes: Object.fromEntries(attributes)
  }
}

/** The values of one field of a message: length-delimited ones, and whole numbers as their decimal text (Protocol Buffers, "Encoding"). */
function fieldsOf(message: Buffer, wanted: number): Buffer[] {
  const values: Buffer[] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const wireType = tag % 8
    const isWanted = Math.floor(tag / 8) === wanted
    if (wireType === 0) {
      const value = varint()
      if (isWanted) values.push(Buffer.from(String(value)))
    }
    if (wireType === 1) at += 8
    if (wireType === 5) at += 4
    if (wireType === 2) {
      const length = varint()
      if (isWanted) values.push(message.subarray(at, at + length))
      at += length
    }
  }
  return values
}
