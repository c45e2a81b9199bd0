// Looks at a new token for reasons why Hasura would refuse it, and tells the operator before it does.
import { readHttpDate } from './retry-after.ts'
import type { Exchange } from './token-exchange.ts'

/** How far this machine's clock may differ from Cognito's before a notice, in ms. Hasura's own tolerance is 0 unless set. */
const CLOCK_TOLERANCE_MS = 30_000

/**
 * Returns what an operator should know about a token: it lacks Hasura claims, its lifetime is not the announced one, a clock is off. The
 * JWT is decoded, not verified; a token that is not a JWT gets no notice about claims. No sentence holds a claim's value other than times, and
 * each stays the same from token to token, so that a new sentence is news. Never throws.
 * @param wallMs this machine's wall clock when the token came, in ms since 1970
 */
export function preflight({ accessToken, expiresInSeconds, date }: Exchange, wallMs: number): string[] {
  const payload = decodePayload(accessToken)
  return [payload && claimsNotice(payload), payload && lifetimeNotice(payload, expiresInSeconds), clockNotice(date, wallMs)].filter(
    notice => notice !== undefined
  )
}

type Payload = { text: string; claims: Record<string, unknown> }

/** The middle part of a JWT (RFC 7519, section 3). */
function decodePayload(token: string): Payload | undefined {
  const [, middle, signature, ...rest] = token.split('.')
  if (middle === undefined || signature === undefined || rest.length > 0) return undefined
  try {
    const text = Buffer.from(middle, 'base64url').toString()
    const claims: unknown = JSON.parse(text)
    return isObject(claims) ? { text, claims } : undefined
  } catch {
    return undefined
  }
}

/** Wherever Hasura is told to find them, under its namespace, another one or none, as an object or as text, the claims begin with x-hasura-. */
function claimsNotice({ text, claims }: Payload): string | undefined {
  if (/x-hasura-/i.test(text)) return undefined
  const claimsMap = {
    'x-hasura-allowed-roles': ['service'],
    'x-hasura-default-role': 'service',
    ...('client_id' in claims && { 'x-hasura-client-id': { path: '$.client_id' } })
  }
  return (
    'The token has no Hasura claims (https://hasura.io/jwt/claims), so Hasura refuses it unless Hasura adds them itself: ' +
    `v2 by "claims_map":${JSON.stringify(claimsMap)} in HASURA_GRAPHQL_JWT_SECRET, DDN by literal values in claimsConfig.locations.`
  )
}

function lifetimeNotice({ claims: { exp, iat } }: Payload, expiresInSeconds: number): string | undefined {
  // Less than a second is rounding.
  if (typeof exp !== 'number' || typeof iat !== 'number' || Math.abs(exp - iat - expiresInSeconds) < 1) return undefined
  return `The token is valid for ${exp - iat} s by its own exp and iat, but Cognito said expires_in ${expiresInSeconds}; the service goes by expires_in.`
}

function clockNotice(date: string | undefined, wallMs: number): string | undefined {
  const aheadMs = wallMs - (readHttpDate(date) ?? wallMs)
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return undefined
  const direction = aheadMs > 0 ? 'ahead of' : 'behind'
  return `The clock of this machine is more than ${CLOCK_TOLERANCE_MS / 1000} s ${direction} Cognito's; if Hasura's is too, Hasura refuses tokens: check NTP, and "allowed_skew" of Hasura.`
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
