// OpenTelemetry traces, where the standard OTEL_* variables ask for them; otherwise nothing of it is loaded.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import { serviceVersion } from '../src/version.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether calls carry a trace context of the service's own; otherwise the caller's goes on as it came. */
    isTracing: boolean
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** The longest that the last spans may take to be exported when the service stops, in ms; less than closing may take in all. */
const FLUSH_MAX_MS = 500
const PROTOCOL = 'http/protobuf'

/**
 * Whether traces are exported, by the variables of the OpenTelemetry specification ("Environment Variable Specification", "OTLP
 * Exporter Configuration"): on with an OTLP endpoint or `OTEL_TRACES_EXPORTER=otlp`, off with `OTEL_SDK_DISABLED=true` or
 * `OTEL_TRACES_EXPORTER=none`. A `problem` says why they are off although they were asked for.
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
  const [api, { W3CTraceContextPropagator }, { OTLPTraceExporter }, resources, sdk, { FastifyOtelInstrumentation }, undici] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/core'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace-node'),
      import('@fastify/otel'),
      import('@opentelemetry/instrumentation-undici')
    ])
  const { context, DiagLogLevel, diag, propagation, trace } = api
  const warn = (message: string) => log.warn({ reason: message }, 'OpenTelemetry')
  const logger = { error: warn, warn, info: warn, debug: warn, verbose: warn }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })

  const named = resources.resourceFromAttributes({ 'service.name': 'cognito-hasura-gateway', 'service.version': serviceVersion })
  const detected = resources.detectResources({ detectors: [resources.envDetector] })
  const provider = new sdk.NodeTracerProvider({
    resource: resources.defaultResource().merge(named).merge(detected),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())]
  })
  // Baggage stays behind, as every header of a caller does that is not listed.
  provider.register({ propagator: new W3CTraceContextPropagator() })

  const requests = new FastifyOtelInstrumentation({
    instrumentHooks: false,
    instrumentHandler: false,
    ignorePaths: isProbe,
    requestHook(span, request) {
      span.updateName(`${request.method} ${request.routeOptions.url ?? ''}`.trim())
      // A GET's query string holds its variables.
      span.setAttribute('url.path', pathOf(request.url))
    }
  })
  const calls = new undici.UndiciInstrumentation({
    requestHook(span, { method, origin, path }) {
      span.updateName(`${method} ${pathOf(path)}`)
      // An endpoint's query string may hold a key.
      span.setAttributes({ 'url.full': origin + pathOf(path), 'url.query': '' })
    }
  })

  const stop = async () => {
    calls.disable()
    const flushed = provider.shutdown().catch((error: Error) => warn(error.message))
    await Promise.race([flushed, sleep(FLUSH_MAX_MS, undefined, { ref: false })])
    for (const global of [trace, context, propagation, diag]) global.disable()
  }
  return { plugin: requests.plugin(), stop }
}

export default fp(
  async app => {
    const { isOn, problem } = readTracing(process.env)
    app.decorate('isTracing', isOn)
    if (problem) app.log.warn({ reason: problem }, 'no traces are exported')
    if (!isOn) return
    const { plugin, stop } = await startTracing(app.log)
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
    // Where the caller left, no answer was sent that would have ended the span.
    app.onRequestEnd(({ request, reply }) => {
      const { span } = request.opentelemetry()
      span?.setAttribute('http.response.status_code', reply.statusCode).end()
    })
    app.addHook('onClose', stop)
  },
  { name: 'tracing', dependencies: ['config', 'requestEnd'] }
)
