// Tells whether a caller accepts gzip.
import Negotiator from 'negotiator'
import { HEADER_LOOKED_AT_MAX } from './negotiation.ts'

/**
 * Whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3). False without the header, since simple clients send none, and for one
 * longer than {@link HEADER_LOOKED_AT_MAX}: an uncompressed answer is always acceptable.
 */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (!acceptEncoding || acceptEncoding.length > HEADER_LOOKED_AT_MAX) return false
  return new Negotiator({ headers: { 'accept-encoding': acceptEncoding } }).encodings(['gzip']).includes('gzip')
}
