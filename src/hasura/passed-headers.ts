// Selects the caller's headers that Hasura gets.
import type { IncomingHttpHeaders } from 'node:http'

/** What is passed on in addition to the headers that always are. */
type PassedHeadersOptions = {
  /** The names of further headers, in lower case. */
  forward: readonly string[]
  /** Whether W3C trace context is passed on as it came; false if the call carries the service's own. */
  passesTraceContext: boolean
}

/**
 * Names and values, in turn, of what is passed on: the request id, W3C trace context, gzip if the caller takes it, an allowed role and the
 * headers of `FORWARD_HEADERS`. Credentials, cookies and every other `x-hasura-*` stay behind, since Hasura trusts them.
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
