// Says why a token was refused, in words of our own because the messages of aws-jwt-verify may contain parts of the token.
import * as errors from 'aws-jwt-verify/error'

/** The reasons by the errors of aws-jwt-verify. */
const REASONS: readonly (readonly [error: new (...args: never[]) => Error, reason: string])[] = [
  [errors.JwtParseError, 'the credential is neither a known key nor a JWT'],
  [errors.JwtExpiredError, 'the token has expired'],
  [errors.JwtNotBeforeError, 'the token is not valid yet'],
  [errors.JwtInvalidIssuerError, 'the issuer of the token is not CALLER_JWT_ISSUER'],
  [errors.JwtInvalidAudienceError, 'the audience of the token is not CALLER_JWT_AUDIENCE'],
  [errors.CognitoJwtInvalidTokenUseError, 'the token is not an access token'],
  [errors.JwtInvalidSignatureAlgorithmError, "the token's signature algorithm does not match its key"],
  [errors.JwtInvalidSignatureError, "the token's signature is invalid"],
  [errors.JwtWithoutValidKidError, 'the token does not name a key (kid)'],
  [errors.KidNotFoundInJwksError, 'the token is signed with an unknown key'],
  // The keys were fetched within the last 10 s, and the requested one was not among them.
  [errors.WaitPeriodNotYetEndedJwkError, 'the token is signed with an unknown key']
]

/** Returns the reason for an error of aws-jwt-verify. */
export const reasonOf = (error: unknown): string =>
  REASONS.find(([kind]) => error instanceof kind)?.[1] ??
  `the token cannot be verified (${error instanceof Error ? error.name : 'unknown'})`
