// A token manager with a fake clock, and a token endpoint that answers when the test says so.

import { ExchangeError, type ExchangeErrorOptions, type ExchangeFaultCode } from '../../src/cognito/exchange-error.ts'
import type { Exchange } from '../../src/cognito/token-exchange.ts'
import { TokenManager } from '../../src/cognito/token-manager.ts'
import type { ExchangeReport } from '../../src/cognito/token-status.ts'
import { FakeClock, settle } from './fake-clock.ts'

/** The answer of the endpoint: the n-th token, valid for an hour, without a date. */
export const answerNumber = (n: number, expiresInSeconds = 3600): Exchange => ({
  accessToken: `token-${n}`,
  expiresInSeconds,
  date: undefined,
  cognitoRequestId: `request-${n}`
})

/** A manager, not yet started, and its controls. The random number is 0.5 unless set: renewal at 75 % of the lifetime, half of each back-off. */
export function manageToken(random: () => number = () => 0.5) {
  const clock = new FakeClock()
  const reports: ExchangeReport[] = []
  const startedAtMs: number[] = []
  const calls: PromiseWithResolvers<Exchange>[] = []
  const exchange = () => {
    startedAtMs.push(clock.nowMs())
    const call = Promise.withResolvers<Exchange>()
    calls.push(call)
    return call.promise
  }
  const manager = new TokenManager({ exchange, onExchange: report => reports.push(report), clock, random })
  return {
    manager,
    clock,
    reports,
    /** When each exchange began. */
    startedAtMs,
    /** Makes the latest exchange succeed. */
    async succeed(answer: Partial<Exchange> = {}) {
      calls.at(-1)?.resolve({ ...answerNumber(calls.length), ...answer })
      await settle()
    },
    /** Makes the latest exchange fail. */
    async fail(code: ExchangeFaultCode = 'server_error', options?: ExchangeErrorOptions) {
      calls.at(-1)?.reject(new ExchangeError(code, options))
      await settle()
    }
  }
}

/** A manager that has just received its first token. */
export async function manageFirstToken(answer: Partial<Exchange> = {}, random?: () => number) {
  const managed = manageToken(random)
  managed.manager.start()
  await managed.succeed(answer)
  return managed
}
