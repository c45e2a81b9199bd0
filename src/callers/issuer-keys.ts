// The keys of the callers' issuer, and whether they can be fetched.
import { FetchError } from 'aws-jwt-verify/error'
import { type Fetcher, SimpleFetcher } from 'aws-jwt-verify/https'
import { type Jwks, SimpleJwksCache } from 'aws-jwt-verify/jwk'
import { RefusedCaller } from './refusal.ts'

/** Called where fetching begins to fail, with the reason in words, and without one where it succeeds again. */
export type OnKeysChange = (fault: string | undefined) => void

/** The reason in words; never a text of the other side. */
function faultOf(error: unknown, uri: string): string {
  if (!(error instanceof FetchError)) return 'the answer is not a JSON Web Key Set'
  return error.message.replace(`Failed to fetch ${uri}: `, '')
}

/**
 * Keeps the keys that were fetched over HTTPS, and fetches them again for an unknown key id. An id that fresh keys do not hold is not
 * looked for again within 10 s, whoever asks; this is no failure to fetch, and its tokens are refused.
 * @throws {RefusedCaller} `CALLER_KEYS_UNAVAILABLE`
 */
export class IssuerKeys extends SimpleJwksCache {
  readonly #onChange: OnKeysChange
  /** Why the last fetch failed; undefined if it did not. */
  fault: string | undefined

  constructor(onChange: OnKeysChange = () => {}, fetcher: Fetcher = new SimpleFetcher()) {
    super({ fetcher })
    this.#onChange = onChange
  }

  override async getJwks(uri: string): Promise<Jwks> {
    try {
      const keys = await super.getJwks(uri)
      this.#note(undefined)
      return keys
    } catch (cause) {
      this.#note(faultOf(cause, uri))
      throw new RefusedCaller({ code: 'CALLER_KEYS_UNAVAILABLE', reason: "the issuer's keys cannot be fetched" }, { cause })
    }
  }

  #note(fault: string | undefined): void {
    const hasChanged = (fault === undefined) !== (this.fault === undefined)
    this.fault = fault
    if (hasChanged) this.#onChange(fault)
  }
}
