// Selects the headers of a request that are passed on to Hasura.
import type { IncomingHttpHeaders } from 'node:http'

/** Options of {@link createHeaderPassing}. */
type PassedHeadersOptions = {
  /** The names of further headers, in lower case. */
  forward: readonly string[]
  /** Whether W3C trace context is passed on unchanged; false if the call carries the service's own. */
  passesTraceContext: boolean
}

/**
 * Returns a function that selects the headers for Hasura, names and values alternating: the request ID, W3C trace context, the headers of
 * `FORWARD_HEADERS`, gzip if the caller accepts it, and an allowed role. Credentials, cookies and any other `x-hasura-*` are not passed on,
 * since Hasura trusts them.
 */
export function createHeaderPassing({ forward, passesTraceContext }: PassedHeadersOptions) {
  const names = [...(passesTraceContext ? ['traceparent', 'tracestate'] : []), ...forward]
  return (headers: IncomingHttpHeaders, requestId: string, takesGzip: boolean, role: string | undefined): string[] => {
    const passed = ['x-request-id', requestId]
    for (const name of names) {
      const value = headers[name]
      if (value !== undefined) passed.push(name, typeof value === 'string' ? value : value.join(', '))
    }
    if (takesGzip) passed.push('accept-encoding', 'gzip')
    if (role !== undefined) passed.push('x-hasura-role', role)
    return passed
  }
}
