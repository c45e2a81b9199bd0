// @fastify/http-proxy with a fixed header.
import Fastify, { type FastifyPluginCallback } from 'fastify'

type ProxyOptions = {
  upstream: string
  prefix: string
  rewritePrefix: string
  undici: { connections: number }
  replyOptions: { rewriteRequestHeaders: (request: unknown, headers: Record<string, string>) => Record<string, string> }
}

const { PORT, UPSTREAM = '', TOKEN } = process.env
const { origin, pathname } = new URL(UPSTREAM)

// Through a variable, so that the type check of the service does not need the peers.
const name = '@fastify/http-proxy'
const { default: proxy } = (await import(name)) as { default: FastifyPluginCallback<ProxyOptions> }

const app = Fastify()
await app.register(proxy, {
  upstream: origin,
  prefix: '/graphql',
  rewritePrefix: pathname,
  undici: { connections: 128 },
  replyOptions: { rewriteRequestHeaders: (_, headers) => ({ ...headers, authorization: `Bearer ${TOKEN}` }) }
})
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
