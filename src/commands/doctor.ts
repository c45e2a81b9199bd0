// --doctor: tries the steps of a request one by one, and says what to do if one fails.
import { ExchangeError } from '../cognito/exchange-error.ts'
import { preflight, withoutClaimsNotice } from '../cognito/preflight.ts'
import type { Exchange } from '../cognito/token-exchange.ts'
import { createCognitoExchange } from '../cognito-exchange.ts'
import { hasDataMember } from '../graphql/has-data-member.ts'
import { describeCallFailure, describeFailureStatus } from '../hasura/call-failure.ts'
import { createHasuraClient, type UpstreamAnswer } from '../hasura/hasura-client.ts'
import type { Refusal } from '../hasura/token-rejection.ts'
import { proxyFor } from '../proxy.ts'
import { newRequestId } from '../request-id.ts'
import type { Settings } from '../settings.ts'
import type { Findings } from './check.ts'

/** Time limit for the call to Hasura, in ms, even if GRAPHQL_TIMEOUT_MS is longer. */
const CALL_MAX_MS = 10_000
const QUERY = '{"query":"{ __typename }"}'

/** Prints one line. */
type Print = (line: string) => void

const line = (step: string, outcome: string) => `${step.padEnd(18)}${outcome}`
const failed = (step: string, problems: readonly string[]) => problems.map((problem, n) => line(n === 0 ? step : '', `FAILED  ${problem}`))

/**
 * Prints a line for each step as it ends: settings, stored operations, one exchange with Cognito, one `{ __typename }` at Hasura. Returns
 * whether all succeeded. No line contains a token or a secret. The exchange takes at most 20 s, and the call 10 s.
 */
export async function runDoctor(findings: Findings, print: Print): Promise<boolean> {
  const { settings, settingProblems, operationProblems, operationCount } = findings
  const printAll = (lines: readonly string[]) => lines.forEach(print)
  printAll(settingProblems.length > 0 ? failed('settings', settingProblems) : [line('settings', 'ok')])
  printAll(
    operationProblems.length > 0 ? failed('stored operations', operationProblems) : [line('stored operations', `ok      ${operationCount}`)]
  )
  if (settings === undefined) {
    printAll(['Cognito', 'Hasura'].map(step => line(step, 'skipped: correct the settings first')))
    return false
  }
  const exchange = await tryExchange(settings, print)
  if (exchange === undefined) {
    print(line('Hasura', 'skipped: there is no token'))
    return false
  }
  const isAnswering = await tryHasura(settings, exchange, print)
  return isAnswering && settingProblems.length === 0 && operationProblems.length === 0
}

async function tryExchange(settings: Settings, print: Print): Promise<Exchange | undefined> {
  const cognito = createCognitoExchange(settings, () =>
    print(line('Cognito', 'note    Cognito refused the first secret and accepted the fallback'))
  )
  try {
    const token = await cognito.exchange()
    print(line('Cognito', `ok      a token that is valid for ${token.expiresInSeconds} s`))
    return token
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error
    print(line('Cognito', `FAILED  ${error.code}: ${error.message}${causeCodeOf(error)}`))
    return undefined
  } finally {
    cognito.close()
  }
}

/** Returns the error code of a system call or of TLS, but nothing that another party has written. */
function causeCodeOf({ cause }: ExchangeError): string {
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? ` (${code})` : ''
}

async function tryHasura(settings: Settings, exchange: Exchange, print: Print): Promise<boolean> {
  const refusals: Refusal[] = []
  const client = createHasuraClient({
    endpoint: settings.GRAPHQL_ENDPOINT.href,
    tokenHeader: settings.GRAPHQL_TOKEN_HEADER,
    timeoutMs: Math.min(settings.GRAPHQL_TIMEOUT_MS, CALL_MAX_MS),
    connections: 1,
    proxy: proxyFor(settings.GRAPHQL_ENDPOINT, settings),
    tokens: { getToken: () => exchange.accessToken, rejectToken: async () => undefined },
    onRefusal: refusal => void refusals.push(refusal)
  })
  try {
    const headers = ['x-request-id', newRequestId()]
    const answer = await client.execute({ body: QUERY, isQuery: true, headers, signal: AbortSignal.timeout(2 * CALL_MAX_MS) })
    answer.stream?.destroy()
    const problem = problemOf(answer)
    print(line('Hasura', problem === undefined ? 'ok      answers { __typename }' : `FAILED  ${problem}`))
    return problem === undefined
  } catch (error) {
    const problem = describeCallFailure(error)
    if (problem === undefined) throw error
    print(line('Hasura', `FAILED  ${problem}`))
    for (const notice of noticesOn(refusals, exchange)) print(line('', `note    ${notice}`))
    return false
  } finally {
    client.close()
  }
}

/** Returns notices that may explain a refusal; missing claims are mentioned only if Hasura's reason is about claims. */
function noticesOn(refusals: readonly Refusal[], exchange: Exchange): readonly string[] {
  if (refusals.length === 0) return []
  const notices = preflight(exchange, Date.now())
  return refusals.some(({ reason }) => reason.includes('claims')) ? notices : withoutClaimsNotice(notices)
}

/** Returns what is wrong with a JSON answer; undefined if nothing is. */
function problemOf({ status, head, headers }: UpstreamAnswer): string | undefined {
  if (status >= 500) return describeFailureStatus(status)
  if (status === 200 && hasDataMember(head, headers.get('content-encoding')) && !/"data"\s*:\s*null/.test(head.toString('latin1', 0, 64)))
    return undefined
  const code = /"code"\s*:\s*"([\w.-]{1,64})"/.exec(head.toString('latin1', 0, 4_096))?.[1]
  return `status ${status} without data${code ? ` (${code})` : ''}: check that GRAPHQL_ENDPOINT is Hasura's GraphQL URL, and that the role of the token may query.`
}
