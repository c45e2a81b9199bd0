// Answers only requests that name this service: one Host, and on a loopback address without caller authentication one that is loopback.
import type { IncomingMessage } from 'node:http'
import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'
import { isLoopback } from '../src/settings-checks.ts'

/** The name or address of a `Host` header, without its port (RFC 9110, section 7.2). */
const hostnameOf = (host: string): string => host.replace(/:\d*$/, '')

/** Whether a request says twice where it is meant to go (RFC 9112, section 3.2); Node keeps the first and would hide the second. */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

/**
 * Makes the check of `Host`. A page that gets its own name to resolve to a loopback address ("DNS rebinding") is of one origin with
 * the service to the browser, but still sends its own name.
 * @param onlyLoopback whether the host must be a loopback name or address
 * @throws {GatewayError} `INVALID_REQUEST` for two hosts, `MISDIRECTED_REQUEST`
 */
export function createHostCheck(onlyLoopback: boolean): onRequestHookHandler {
  return ({ raw, headers, routeOptions }, _, done) => {
    if (hasTwoHosts(raw)) return done(new GatewayError('INVALID_REQUEST', { message: 'The request has more than one Host header.' }))
    if (!onlyLoopback || routeOptions.config.isProbe || isLoopback(hostnameOf(headers.host ?? ''))) return done()
    done(new GatewayError('MISDIRECTED_REQUEST'))
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** {@link createHostCheck}, for another listener. */
    createHostCheck: typeof createHostCheck
  }
  interface FastifyContextConfig {
    /** Whether the route is for probes, which may name the service by any address. Default false. */
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
