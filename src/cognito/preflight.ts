// Checks a new token for reasons why Hasura would refuse it, so that an operator learns of them in advance.
import { isObject } from '../json.ts'
import { readHttpDate } from './retry-after.ts'
import type { Exchange } from './token-exchange.ts'

/** How far this machine's clock may differ from Cognito's without a notice, in ms. Hasura's own tolerance is 0 unless configured. */
const CLOCK_TOLERANCE_MS = 30_000

/**
 * Returns notices for an operator: the token lacks Hasura claims, its lifetime differs from `expires_in`, or this machine's clock is off.
 * The JWT is decoded, not verified; a token that is not a JWT gets no notice about claims. No notice contains a claim's value other than
 * times, and a notice reads the same for every token, so that only a new one is logged. Never throws.
 * @param wallMs this machine's wall clock when the token arrived, in ms since 1970
 */
export function preflight({ accessToken, expiresInSeconds, date }: Exchange, wallMs: number): string[] {
  const payload = decodePayload(accessToken)
  return [payload && claimsNotice(payload), payload && lifetimeNotice(payload, expiresInSeconds), clockNotice(date, wallMs)].filter(
    notice => notice !== undefined
  )
}

const CLAIMS_NOTICE = 'The token has no Hasura claims'

/** Removes the notice about missing Hasura claims, which is irrelevant once Hasura has accepted the token. */
export const withoutClaimsNotice = (notices: readonly string[]): string[] => notices.filter(notice => !notice.startsWith(CLAIMS_NOTICE))

type Payload = { text: string; claims: Record<string, unknown> }

/** Decodes the middle part of a JWT (RFC 7519, section 3); undefined if the token is not a JWT. */
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

/** Searches the whole text: Hasura's claims begin with x-hasura-, whatever their namespace, and whether they are an object or a string. */
function claimsNotice({ text, claims }: Payload): string | undefined {
  if (/x-hasura-/i.test(text)) return undefined
  const claimsMap = {
    'x-hasura-allowed-roles': ['service'],
    'x-hasura-default-role': 'service',
    ...('client_id' in claims && { 'x-hasura-client-id': { path: '$.client_id' } })
  }
  return (
    `${CLAIMS_NOTICE} (https://hasura.io/jwt/claims), so Hasura refuses it unless it adds them itself: ` +
    `v2 with "claims_map":${JSON.stringify(claimsMap)} in HASURA_GRAPHQL_JWT_SECRET, DDN with literal values in claimsConfig.locations.`
  )
}

function lifetimeNotice({ claims: { exp, iat } }: Payload, expiresInSeconds: number): string | undefined {
  // A difference of less than a second is rounding.
  if (typeof exp !== 'number' || typeof iat !== 'number' || Math.abs(exp - iat - expiresInSeconds) < 1) return undefined
  return `The token is valid for ${exp - iat} s according to its exp and iat, but Cognito said expires_in ${expiresInSeconds}; the service relies on expires_in.`
}

function clockNotice(date: string | undefined, wallMs: number): string | undefined {
  const aheadMs = wallMs - (readHttpDate(date) ?? wallMs)
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return undefined
  const direction = aheadMs > 0 ? 'ahead of' : 'behind'
  return `The clock of this machine is more than ${CLOCK_TOLERANCE_MS / 1000} s ${direction} Cognito's. If Hasura's clock is too, Hasura refuses tokens: check NTP, and "allowed_skew" in Hasura's JWT settings.`
}
