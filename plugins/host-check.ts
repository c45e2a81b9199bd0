// Checks the Host header: there must be only one, and without caller authentication on a loopback address it must name loopback.
import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { timesIn } from '../src/callers/credential.ts'
import { GatewayError } from '../src/errors.ts'
import { isLoopback } from '../src/settings-checks.ts'

/** Returns the name or address in a `Host` header, without port (RFC 9110, section 7.2). */
const hostnameOf = (host: string): string => host.replace(/:\d*$/, '')

/**
 * Creates the hook that checks `Host`. If a page's own name resolves to a loopback address ("DNS rebinding"), the browser treats the page
 * and the service as one origin, but still sends the page's name in `Host`.
 * @param onlyLoopback whether the host must be a loopback name or address
 * @throws {GatewayError} `INVALID_REQUEST` for two hosts, `MISDIRECTED_REQUEST`
 */
export function createHostCheck(onlyLoopback: boolean): onRequestHookHandler {
  return (request, _, done) => {
    // Node keeps the first and would hide the second (RFC 9112, section 3.2).
    if (timesIn(request.raw.rawHeaders, 'host') > 1)
      return done(new GatewayError('INVALID_REQUEST', { message: 'The request has more than one Host header.' }))
    if (!onlyLoopback || request.routeOptions.config.isProbe || isLoopback(hostnameOf(request.headers.host ?? ''))) return done()
    done(new GatewayError('MISDIRECTED_REQUEST'))
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The function {@link createHostCheck}, for other listeners. */
    createHostCheck: typeof createHostCheck
  }
  interface FastifyContextConfig {
    /** Whether the route is for probes, which may use any address in `Host`. Default false. */
    isProbe?: boolean
  }
}

export default fp(
  async app => {
    const { HOST: host, CALLER_AUTH: kinds } = app.config
    app.decorate('createHostCheck', createHostCheck)
    app.addHook('onRequest', createHostCheck(kinds.size === 0 && isLoopback(host)))
  },
  { name: 'host-check', dependencies: ['config', 'errors'] }
)
