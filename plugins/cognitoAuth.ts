// Decorates the instance with the token manager, which starts when the service is ready and stops after its last request.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import { TokenManager } from '../src/cognito/token-manager.ts'
import type { ExchangeReport, TokenStatus } from '../src/cognito/token-status.ts'
import { createCognitoExchange } from '../src/cognito-exchange.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tokenManager: TokenManager
    /** Adds a listener that is called after every exchange; call it before the service is ready. */
    onTokenExchange(listener: (report: ExchangeReport) => void): void
  }
}

/** Logs an exchange: success at info, a configuration fault at error, a passing fault at warn. */
export function logExchange(log: FastifyBaseLogger, { reason, durationMs, token, failure }: ExchangeReport): void {
  if (token) {
    const { expiresInSeconds, refreshInSeconds, cognitoRequestId } = token
    const life = { expiresInSeconds, refreshInSeconds: Math.round(refreshInSeconds) }
    log.info({ reason, durationMs: Math.round(durationMs), ...life, cognitoRequestId }, 'token renewed')
  }
  if (!failure) return
  const { error, consecutive, retryInSeconds } = failure
  const { code, kind, cognitoRequestId, cause } = error
  const level = kind === 'configuration' ? 'error' : 'warn'
  const wait = { retryInSeconds: Math.round(retryInSeconds * 10) / 10 }
  log[level]({ reason, code, consecutive, ...wait, cognitoRequestId, err: cause }, `no token from Cognito: ${error.message}`)
}

/** Creates a listener that logs each notice when it first appears, and again when it no longer applies. */
export function createNoticeLog(log: FastifyBaseLogger) {
  let known: readonly string[] = []
  return ({ token }: ExchangeReport): void => {
    if (!token) return
    for (const notice of token.notices) if (!known.includes(notice)) log.warn(notice)
    for (const notice of known) if (!token.notices.includes(notice)) log.info(`Resolved: ${notice}`)
    known = token.notices
  }
}

/** Returns what the token means for readiness: having no usable token is blocking; failures and notices are not. */
function readinessOfToken({ state, lastFailure, nextExchangeInSeconds, notices }: TokenStatus) {
  const blocking: string[] = []
  if (state === 'none') blocking.push('There has been no token from Cognito yet.')
  if (state === 'unusable') blocking.push('The token from Cognito has expired and could not be renewed.')
  if (lastFailure === undefined) return { blocking, notices }
  const next = nextExchangeInSeconds === undefined ? 'now' : `in ${Math.ceil(nextExchangeInSeconds)} s`
  return {
    blocking,
    notices: [`The last exchange failed with ${lastFailure.code}: ${lastFailure.advice}. The next try is ${next}.`, ...notices]
  }
}

export default fp(
  async app => {
    const { config, log, traceCall } = app
    const cognito = createCognitoExchange(config, inUse =>
      log.warn({ inUse }, `Cognito refused the other secret; the ${inUse} secret is now in use`)
    )
    // An exchange serves all requests, so it must not be part of the trace of the request that started it.
    const exchange = AsyncLocalStorage.bind(traceCall ? () => traceCall(cognito.url, cognito.exchange) : cognito.exchange)
    const listeners = [(report: ExchangeReport) => logExchange(log, report), createNoticeLog(log)]
    const onExchange = (report: ExchangeReport) => {
      for (const listener of listeners) listener(report)
    }
    const tokenManager = new TokenManager({ exchange, onExchange })

    app.decorate('tokenManager', tokenManager)
    app.addReadiness(() => readinessOfToken(tokenManager.status()))
    app.decorate('onTokenExchange', (listener: (report: ExchangeReport) => void) => void listeners.push(listener))
    const { AWS_COGNITO_APP_CLIENT_SECRET_FILE: secretFile } = config
    // Retries a failed exchange at once when the secret file changes.
    if (secretFile !== undefined) app.onFileChange(secretFile, () => app.tokenManager.retryNow())
    // Not awaited: the service starts even if Cognito is down.
    app.addHook('onReady', async () => tokenManager.start())
    app.addHook('onClose', async () => {
      tokenManager.stop()
      cognito.close()
    })
  },
  { name: 'cognitoAuth', dependencies: ['config', 'tracing', 'readiness', 'fileChanges'] }
)
