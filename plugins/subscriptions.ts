// Decorates replies with `streamSubscription`, which answers with the event stream of a subscription at Hasura.
import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { sentBytesOf } from '../src/admission/sent-bytes.ts'
import { systemClock } from '../src/clock.ts'
import { GatewayError } from '../src/errors.ts'
import type { EventSink, EventStream } from '../src/event-stream/event-stream.ts'
import { EVENT_STREAM_HEADERS } from '../src/event-stream/events.ts'
import { tokenValue } from '../src/hasura/hasura-client.ts'
import { CONNECT_TIMEOUT_MS } from '../src/http1/http-client.ts'
import { proxyFor } from '../src/proxy.ts'
import type { ConnectionEnd } from '../src/subscriptions/role-link.ts'
import type { SubscriptionRequest } from '../src/subscriptions/subscription-request.ts'
import type { Subscriptions } from '../src/subscriptions/subscriptions.ts'

declare module 'fastify' {
  interface WantedSubscription extends Omit<SubscriptionRequest, 'role'> {
    /** Whether the name in the request still stands for the same document; if not, the stream ends without `complete`. */
    isCurrent?: (() => boolean) | undefined
  }
  interface FastifyRequest {
    /** The event stream that answers the request, if there is one. */
    eventStream: EventStream | undefined
  }
  interface FastifyReply {
    /**
     * Answers with the event stream of a subscription; resolves when it has started.
     * @throws {GatewayError} `OVERLOADED` if `SUBSCRIPTIONS_MAX` streams are open, `SHUTTING_DOWN`
     */
    streamSubscription(wanted: WantedSubscription): Promise<void>
  }
}

/** The `Retry-After` of `OVERLOADED`, in seconds. */
const RETRY_AFTER_SECONDS = 10

/** Returns the connection of a reply as a sink for events. */
function sinkOf({ raw }: FastifyReply): EventSink {
  return {
    write: (event, onTaken) => raw.write(event, error => error ?? onTaken()),
    end: () => raw.end(),
    cut: () => raw.writableFinished || raw.destroy(),
    progress: () => sentBytesOf(raw.socket)
  }
}

function logConnectionEnd({ log, metrics }: FastifyInstance, { code, fault, isRefusal }: ConnectionEnd): void {
  if (isRefusal) metrics.rejections.inc({ reason: `ws-${code}` })
  log[isRefusal ? 'warn' : 'info'](
    { code, fault },
    isRefusal ? 'Hasura refused the token for subscriptions' : "the subscriptions' connection ended"
  )
}

/** Loads the code for subscriptions, which most deployments do not use. */
async function openSubscriptions(app: FastifyInstance): Promise<Subscriptions> {
  const { config, tokenManager } = app
  const { GRAPHQL_ENDPOINT: endpoint, GRAPHQL_TOKEN_HEADER: tokenHeader } = config
  const [{ Subscriptions }, { webSocketTo }, { createTunnelAgent }] = await Promise.all([
    import('../src/subscriptions/subscriptions.ts'),
    import('../src/subscriptions/web-socket.ts'),
    import('../src/http1/tunnel-agent.ts')
  ])
  const proxy = proxyFor(endpoint, config)
  return new Subscriptions({
    open: webSocketTo(endpoint.href, proxy && createTunnelAgent(proxy, endpoint, CONNECT_TIMEOUT_MS)),
    tokens: tokenManager,
    tokenHeadersFor: token => ({ [tokenHeader]: tokenValue(tokenHeader, token) }),
    timeoutMs: config.GRAPHQL_TIMEOUT_MS,
    onConnectionEnd: end => logConnectionEnd(app, end)
  })
}

export default fp(
  async app => {
    const { config, metrics } = app
    const streams = new Set<EventStream>()
    let subscriptions: Subscriptions | undefined
    let opening: Promise<Subscriptions> | undefined
    const open = () => {
      opening ??= openSubscriptions(app).then(opened => {
        subscriptions = opened
        return opened
      })
      return opening
    }
    metrics.countSubscriptions({ callers: () => streams.size, hasura: () => subscriptions?.count ?? 0 })
    app.onTokenExchange(({ outcome }) => {
      if (outcome === 'ok') subscriptions?.renew()
    })
    app.onDrain(() => subscriptions?.close())
    // The server waits for all answers before it closes, and a stream does not end by itself.
    app.addHook('preClose', async () => subscriptions?.close())

    app.decorateReply('streamSubscription', async function (this: FastifyReply, { isCurrent, ...wanted }) {
      const { request, raw } = this
      const { EventStream } = await import('../src/event-stream/event-stream.ts')
      const subscriptions = await open()
      // If the shutdown has begun meanwhile, it has already ended the other streams and would not end this one.
      if (app.isDraining) throw new GatewayError('SHUTTING_DOWN')
      // The caller has already left; its `close` event has been emitted, so nothing would end the stream.
      if (raw.destroyed) return void this.hijack()
      if (streams.size >= config.SUBSCRIPTIONS_MAX) {
        const message = `SUBSCRIPTIONS_MAX is reached: ${config.SUBSCRIPTIONS_MAX} event streams are open.`
        throw new GatewayError('OVERLOADED', { message, retryAfterSeconds: RETRY_AFTER_SECONDS })
      }
      const stream = new EventStream({
        reader: subscriptions.subscribe({ ...wanted, role: request.hasuraRole }),
        sink: sinkOf(this),
        clock: systemClock,
        requestId: request.id,
        check: async () => {
          if (isCurrent?.() === false) return { kind: 'break' }
          const error = await app.findLostRights(request, this)
          return error && { kind: 'error', error }
        },
        onError: ({ code }) => {
          request.errorCode = code
        }
      })
      streams.add(stream)
      request.eventStream = stream
      raw.once('close', () => {
        streams.delete(stream)
        stream.close()
      })
      request.mayReadSlowly = true
      this.headers(EVENT_STREAM_HEADERS).hijack()
      // The time-out of an idle connection is for answers that end.
      raw.socket?.setTimeout(0)
      raw.writeHead(200, this.getHeaders() as Record<string, string>)
      raw.flushHeaders()
      stream.start()
    })
  },
  {
    name: 'subscriptions',
    dependencies: ['config', 'errors', 'lostRights', 'cognitoAuth', 'metrics', 'requestEnd', 'shutdown', 'connections']
  }
)
