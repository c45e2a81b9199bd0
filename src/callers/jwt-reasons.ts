// Says in words why a token was refused; the errors' own messages may hold parts of the token.
import * as errors from 'aws-jwt-verify/error'

/** The reasons by the errors of aws-jwt-verify. */
const REASONS: readonly (readonly [error: new (...args: never[]) => Error, reason: string])[] = [
  [errors.JwtParseError, 'the credential is neither a known key nor a JWT'],
  [errors.JwtExpiredError, 'the token has expired'],
  [errors.JwtNotBeforeError, 'the token is not valid yet'],
  [errors.JwtInvalidIssuerError, 'the token is from another issuer than CALLER_JWT_ISSUER'],
  [errors.JwtInvalidAudienceError, 'the token is for another audience than CALLER_JWT_AUDIENCE'],
  [errors.CognitoJwtInvalidTokenUseError, 'the token is not an access token'],
  [errors.JwtInvalidSignatureAlgorithmError, "the token's signature has another algorithm than its key"],
  [errors.JwtInvalidSignatureError, "the token's signature is invalid"],
  [errors.JwtWithoutValidKidError, 'the token names no key'],
  [errors.KidNotFoundInJwksError, 'the token is signed with an unknown key'],
  // The keys were fetched within the last 10 s, and did not hold the one that was asked for then.
  [errors.WaitPeriodNotYetEndedJwkError, 'the token is signed with an unknown key']
]

/** Returns the reason for an error of aws-jwt-verify. */
export const reasonOf = (error: unknown): string =>
  REASONS.find(([kind]) => error instanceof kind)?.[1] ??
  `the token cannot be verified (${error instanceof Error ? error.name : 'unknown'})`
