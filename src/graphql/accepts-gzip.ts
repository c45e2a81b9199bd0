// Tells whether a caller accepts gzip.
import Negotiator from 'negotiator'
import { HEADER_MAX_LENGTH } from './negotiation.ts'

/**
 * Whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3). False without the header, since simple clients send none, and for one
 * longer than {@link HEADER_MAX_LENGTH}: an uncompressed answer is always acceptable.
 */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (!acceptEncoding || acceptEncoding.length > HEADER_MAX_LENGTH) return false
  return new Negotiator({ headers: { 'accept-encoding': acceptEncoding } }).encodings(['gzip']).includes('gzip')
}
