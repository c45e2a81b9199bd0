// What the tests of the Hasura stand-in share: both stand-ins, and one request.

import type { Test } from 'tap'
import { request } from 'undici'
import { type CognitoStandIn, startCognito } from '../../sandbox/cognito.ts'
import { type HasuraOptions, type HasuraStandIn, startHasura } from '../../sandbox/hasura.ts'

/** Both stand-ins, closed when the test ends. */
export interface StandIns {
  readonly cognito: CognitoStandIn
  readonly hasura: HasuraStandIn
}

/** Starts both on free ports; `options` go to Hasura. */
export async function standInsFor(t: Test, options: Partial<HasuraOptions> = {}): Promise<StandIns> {
  const cognito = await startCognito({ clientId: 'machine', clientSecret: 'secret' })
  const hasura = await startHasura({ jwksUrl: cognito.jwksUrl, issuer: cognito.issuer, ...options })
  t.teardown(() => Promise.all([hasura.close(), cognito.close()]))
  return { cognito, hasura }
}

/** Sends a body to `url` and returns status, headers and the answer's exact bytes. */
export async function post(url: string, body: string | object, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await request(url, { method: 'POST', headers, body: text })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  return { status: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString() }
}

/** Sends a GraphQL request with a valid token and returns the answer. */
export async function run({ cognito, hasura }: StandIns, body: string | object, headers: Record<string, string> = {}) {
  return post(hasura.url, body, { authorization: `Bearer ${await cognito.issueToken()}`, ...headers })
}

/** Returns the text of an error's body, exactly as Hasura writes it. */
export function errorText(code: string, message: string, path = '$'): string {
  return `{"errors":[{"extensions":{"path":${JSON.stringify(path)},"code":${JSON.stringify(code)}},"message":${JSON.stringify(message)}}]}`
}
