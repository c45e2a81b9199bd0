// Exports OpenTelemetry traces if the standard OTEL_* variables enable them; if not, the SDK is not loaded.
import { setTimeout as sleep } from 'node:timers/promises'
import type * as Api from '@opentelemetry/api'
import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import type { TraceCall } from '../src/hasura/hasura-client.ts'
import { serviceVersion } from '../src/version.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes an outgoing call in its own span and propagates the trace; undefined if traces are off. */
    traceCall: TraceCall | undefined
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** How long the export of the last spans may delay the shutdown, in ms; less than the time limit for closing. */
const FLUSH_MAX_MS = 500
const PROTOCOL = 'http/protobuf'
const NAME = 'cognito-hasura-gateway'

/**
 * Returns whether traces are exported, by the variables of the OpenTelemetry specification ("Environment Variable Specification", "OTLP
 * Exporter Configuration"): on with an OTLP endpoint or `OTEL_TRACES_EXPORTER=otlp`, off with `OTEL_SDK_DISABLED=true` or
 * `OTEL_TRACES_EXPORTER=none`. If the variables ask for traces but they stay off, `problem` says why.
 */
export function readTracing(env: Environment): { isOn: boolean; problem?: string } {
  const exporter = env.OTEL_TRACES_EXPORTER
  const isAsked = Boolean(exporter || env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
  if (!isAsked || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || exporter === 'none') return { isOn: false }
  if (exporter && exporter !== 'otlp') return { isOn: false, problem: 'OTEL_TRACES_EXPORTER must be otlp or none' }
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || PROTOCOL
  return protocol === PROTOCOL ? { isOn: true } : { isOn: false, problem: `the protocol of OTEL_EXPORTER_OTLP_* must be ${PROTOCOL}` }
}

const isProbe = ({ url }: { url: string }) => url.startsWith('/health/')
const pathOf = (url: string) => url.split('?', 1)[0] ?? ''

async function startTracing(log: FastifyBaseLogger) {
  const [api, { W3CTraceContextPropagator }, { OTLPTraceExporter }, resources, sdk, { FastifyOtelInstrumentation }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-node'),
    import('@fastify/otel')
  ])
  const { context, DiagLogLevel, diag, propagation, trace } = api
  const warn = (message: string) => log.warn({ reason: message }, 'OpenTelemetry')
  const logger = { error: warn, warn, info: warn, debug: warn, verbose: warn }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })

  const named = resources.resourceFromAttributes({ 'service.name': NAME, 'service.version': serviceVersion })
  const detected = resources.detectResources({ detectors: [resources.envDetector] })
  const provider = new sdk.NodeTracerProvider({
    resource: resources.defaultResource().merge(named).merge(detected),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())]
  })
  // Baggage is not propagated, like any other header of a caller that is not listed.
  provider.register({ propagator: new W3CTraceContextPropagator() })

  const requests = new FastifyOtelInstrumentation({
    instrumentHooks: false,
    instrumentHandler: false,
    ignorePaths: isProbe,
    requestHook(span, request) {
      span.updateName(`${request.method} ${request.routeOptions.url ?? ''}`.trim())
      // The query string of a GET contains variables.
      span.setAttribute('url.path', pathOf(request.url))
    }
  })

  const stop = async () => {
    const flushed = provider.shutdown().catch((error: Error) => warn(error.message))
    await Promise.race([flushed, sleep(FLUSH_MAX_MS, undefined, { ref: false })])
    for (const global of [trace, context, propagation, diag]) global.disable()
  }
  return { plugin: requests.plugin(), traceCall: createCallTracing(api), stop }
}

function createCallTracing({ context, propagation, SpanKind, SpanStatusCode, trace }: typeof Api): TraceCall {
  const tracer = trace.getTracer(NAME, serviceVersion)
  return async (url, call, statusOf) => {
    // The query string of an endpoint may contain a key.
    const { origin, pathname, hostname, port } = new URL(url)
    const span = tracer.startSpan(`POST ${pathname}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        'http.request.method': 'POST',
        'url.full': origin + pathname,
        'server.address': hostname,
        ...(port && { 'server.port': Number(port) })
      }
    })
    const headers: string[] = []
    propagation.inject(trace.setSpan(context.active(), span), headers, { set: (carrier, name, value) => void carrier.push(name, value) })
    try {
      const answer = await call(headers)
      const status = statusOf?.(answer)
      if (status !== undefined) span.setAttribute('http.response.status_code', status)
      if (status !== undefined && status >= 400) span.setStatus({ code: SpanStatusCode.ERROR })
      return answer
    } catch (error) {
      if (error instanceof Error)
        span.setAttribute('error.type', error.name).setStatus({ code: SpanStatusCode.ERROR, message: error.message })
      throw error
    } finally {
      span.end()
    }
  }
}

export default fp(
  async app => {
    const { isOn, problem } = readTracing(process.env)
    if (problem) app.log.warn({ reason: problem }, 'no traces are exported')
    const tracing = isOn ? await startTracing(app.log) : undefined
    app.decorate('traceCall', tracing?.traceCall)
    if (!tracing) return
    const { plugin, stop } = tracing
    await app.register(plugin)
    app.addHook('onSend', (request, _, payload, done) => {
      const { operation, caller, id } = request
      const { span } = request.opentelemetry()
      span?.setAttributes({
        'graphql.operation.type': operation?.kind,
        'graphql.operation.name': operation?.name,
        'gateway.caller': caller?.label,
        'gateway.request.id': id
      })
      done(null, payload)
    })
    // If the caller left, no answer was sent to end the span.
    app.onRequestEnd(({ request, reply }) => {
      const { span } = request.opentelemetry()
      span?.setAttribute('http.response.status_code', reply.statusCode).end()
    })
    app.addHook('onClose', stop)
  },
  { name: 'tracing', dependencies: ['config', 'requestEnd'] }
)
