// Builds the service: registers every plugin and route, in order.
import sensible from '@fastify/sensible'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  LogController,
  type onRequestHookHandler
} from 'fastify'
import fp from 'fastify-plugin'
import admission, { type AdmissionOptions } from '../plugins/admission.ts'
import answerCache from '../plugins/answer-cache.ts'
import browsers from '../plugins/browsers.ts'
import callers from '../plugins/callers.ts'
import cognitoAuth from '../plugins/cognitoAuth.ts'
import connections from '../plugins/connections.ts'
import cors from '../plugins/cors.ts'
import errors, { answerClientError, sendError } from '../plugins/errors.ts'
import fileChanges from '../plugins/file-changes.ts'
import hasura from '../plugins/hasura.ts'
import hasuraSchema from '../plugins/hasura-schema.ts'
import hostCheck from '../plugins/host-check.ts'
import jsonBody from '../plugins/json-body.ts'
import keysFile from '../plugins/keys-file.ts'
import lostRights from '../plugins/lost-rights.ts'
import metrics from '../plugins/metrics.ts'
import openapi from '../plugins/openapi.ts'
import pageHeaders from '../plugins/page-headers.ts'
import passAnswer from '../plugins/pass-answer.ts'
import persistedDocuments from '../plugins/persisted-documents.ts'
import rateLimit from '../plugins/rate-limit.ts'
import readiness from '../plugins/readiness.ts'
import requestEnd from '../plugins/request-end.ts'
import requestLog from '../plugins/request-log.ts'
import runOperation from '../plugins/run-operation.ts'
import shutdown from '../plugins/shutdown.ts'
import storedOperations from '../plugins/stored-operations.ts'
import subscriptions from '../plugins/subscriptions.ts'
import tracing from '../plugins/tracing.ts'
import executeGraphql from '../routes/execute-graphql.ts'
import health from '../routes/health.ts'
import operationRoutes from '../routes/operations.ts'
import documentation from '../routes/pages/documentation.ts'
import explorer from '../routes/pages/explorer.ts'
import home from '../routes/pages/home.ts'
import { BODY_MAX_MS } from './admission/pace.ts'
import { createProxyTrust } from './callers/proxy-trust.ts'
import { TIMER_MAX_MS } from './clock.ts'
import { requestIdOf } from './request-id.ts'
import { schemaController } from './schema-compilers.ts'
import type { Settings } from './settings.ts'

/** How long a caller's connection may be idle beyond GRAPHQL_TIMEOUT_MS, in ms. */
const CALLER_IDLE_MARGIN_MS = 10_000
/** Time limit for the head of a request to arrive, in ms. */
const HEAD_MAX_MS = 15_000
/** How often Node checks for late requests, in ms. */
const HEAD_CHECK_MS = 1_000

/**
 * Builds the service; it does not listen yet.
 * @param settings from `loadSettings`
 * @param logger a pino logger; default: none, so that tests are silent
 * @param admissionOptions thresholds for refusing requests; default: those of production. Tests on a busy machine raise them
 */
export async function buildApp(
  settings: Settings,
  logger?: FastifyBaseLogger,
  admissionOptions: AdmissionOptions = {}
): Promise<FastifyInstance> {
  const app = Fastify({
    ...(logger && { loggerInstance: logger }),
    ...(settings.TRUST_PROXY.length > 0 && { trustProxy: createProxyTrust(settings.TRUST_PROXY) }),
    bodyLimit: settings.BODY_LIMIT_BYTES,
    // An operation name too long to be a file name gets the same 404 as any unknown name. Node limits the request head to 16 KiB.
    routerOptions: { maxParamLength: 16_384 },
    genReqId: request => requestIdOf(request.headers),
    requestIdHeader: false,
    // A caller that neither sends nor reads must not hold a connection to Hasura; the answer itself may take GRAPHQL_TIMEOUT_MS.
    connectionTimeout: Math.min(settings.GRAPHQL_TIMEOUT_MS + CALLER_IDLE_MARGIN_MS, TIMER_MAX_MS),
    http: { headersTimeout: HEAD_MAX_MS, requestTimeout: HEAD_MAX_MS + BODY_MAX_MS, connectionsCheckingInterval: HEAD_CHECK_MS },
    requestTimeout: HEAD_MAX_MS + BODY_MAX_MS,
    // plugins/request-log.ts writes one line per request instead of Fastify's two.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    schemaController,
    return503OnClosing: false,
    frameworkErrors: sendError,
    clientErrorHandler: answerClientError
  }).withTypeProvider<TypeBoxTypeProvider>()

  await app.register(fp(async app => void app.decorate('config', settings), { name: 'config' }))
  await app.register(requestEnd)
  await app.register(readiness)
  await app.register(fileChanges)
  await app.register(tracing)
  await app.register(sensible)
  await app.register(errors)
  await app.register(requestLog)
  await app.register(shutdown)
  await app.register(connections)
  await app.register(hostCheck)
  await app.register(cors)
  await app.register(keysFile)
  await app.register(callers)
  await app.register(cognitoAuth)
  await app.register(metrics)
  await app.register(rateLimit)
  await app.register(admission, admissionOptions)
  await app.register(jsonBody)
  await app.register(openapi)
  await app.register(hasura)
  await app.register(passAnswer)
  await app.register(lostRights)
  await app.register(subscriptions)
  await app.register(answerCache)
  await app.register(runOperation)
  await app.register(hasuraSchema)
  await app.register(storedOperations)
  await app.register(persistedDocuments)

  await app.register(operations)
  await app.register(health)
  if (settings.DOCS_ENABLED) await app.register(pages)
  return app
}

/** Adds the hooks that check the caller; they run before the scope's other checks. */
function checkCallers(scope: FastifyInstance, requireCaller: onRequestHookHandler | undefined): void {
  for (const check of [scope.identifyCaller, scope.limitRate, requireCaller]) if (check) scope.addHook('onRequest', check)
}

/** The routes that run operations. Admission control applies only here, so probes and pages still answer when operations are refused. */
const operations: FastifyPluginAsync = async scope => {
  await scope.register(browsers)
  checkCallers(scope, scope.requireCaller)
  scope.addHook('onRequest', scope.admit)
  scope.addHook('preParsing', scope.holdBody)
  await scope.register(executeGraphql)
  await scope.register(operationRoutes, { prefix: '/operations' })
  // Loaded only when it is on: the SDK takes longer to load than the rest of the service.
  if (scope.config.MCP_ENABLED) await scope.register(import('../routes/mcp.ts'))
}

/** The pages that people open in a browser. */
const pages: FastifyPluginAsync = async scope => {
  checkCallers(scope, scope.requireReader)
  await scope.register(pageHeaders)
  await scope.register(home)
  await scope.register(documentation)
  await scope.register(explorer)
}
