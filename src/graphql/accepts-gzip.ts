// Whether a caller takes gzip.
import Negotiator from 'negotiator'
import { HEADER_LOOKED_AT_MAX } from './negotiation.ts'

/**
 * Whether a caller takes gzip (RFC 9110, section 12.5.3). Without the header it does not, so as not to surprise simple ones, and neither does
 * it with one that is longer than {@link HEADER_LOOKED_AT_MAX}: an answer that is not coded is always right.
 */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (!acceptEncoding || acceptEncoding.length > HEADER_LOOKED_AT_MAX) return false
  return new Negotiator({ headers: { 'accept-encoding': acceptEncoding } }).encodings(['gzip']).includes('gzip')
}
