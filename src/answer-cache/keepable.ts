// Decides which answers can be cached, and reads their whole bodies.
import type { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { isObject } from '../json.ts'

/** The largest answer that is cached, in bytes; for a compressed one, the limit applies both to its size and to its decompressed size. */
export const KEPT_MAX_BYTES = 1_048_576

/** An answer of the upstream; header names are in lower case. If there is a `stream`, it holds the whole body, else `head` does. */
export type UpstreamAnswer = {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly head: Buffer
  readonly stream?: Readable
}

/**
 * Returns the body of an answer that can be cached: status 200, with `data`, without `errors`, and up to {@link KEPT_MAX_BYTES}; undefined
 * for any other. Reads the stream for this; if the answer turns out to be larger, the bytes that were read are put back.
 * @throws any error of the stream
 */
export async function readKeepable(answer: UpstreamAnswer): Promise<Buffer | undefined> {
  const { status, headers, head, stream } = answer
  const coding = headers.get('content-encoding')
  if (status !== 200 || (coding !== undefined && coding !== 'gzip')) return undefined
  if (Number(headers.get('content-length') ?? 0) > KEPT_MAX_BYTES) return undefined
  const body = stream ? await readWhole(stream, KEPT_MAX_BYTES) : head
  return body && isDataAlone(body, coding === 'gzip') ? body : undefined
}

/** Whether a body is a JSON object with `data` and without `errors`. */
function isDataAlone(body: Buffer, isGzip: boolean): boolean {
  if (body.length > KEPT_MAX_BYTES) return false
  try {
    const json = isGzip ? gunzipSync(body, { maxOutputLength: KEPT_MAX_BYTES }) : body
    const value: unknown = JSON.parse(json.toString())
    return isObject(value) && 'data' in value && !('errors' in value)
  } catch {
    return false
  }
}

/** Reads a stream to its end; if there are more than `maxBytes`, puts them back into the stream and resolves to undefined. */
function readWhole(stream: Readable, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const settle = (end: () => void) => {
      stream.off('readable', read).off('end', onEnd).off('error', onError).off('close', onClose)
      end()
    }
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks)))
    const onError = (error: Error) => settle(() => reject(error))
    const onClose = () => onError(new Error('the stream was closed before its end'))
    const read = () => {
      for (let chunk: Buffer | null = stream.read(); chunk !== null; chunk = stream.read()) {
        chunks.push(chunk)
        size += chunk.length
        if (size <= maxBytes) continue
        return settle(() => {
          stream.unshift(Buffer.concat(chunks))
          resolve(undefined)
        })
      }
    }
    stream.on('readable', read).on('end', onEnd).on('error', onError).on('close', onClose)
  })
}
