// Fetches and caches the public keys of the callers' issuer, and reports when fetching fails.
import { FetchError } from 'aws-jwt-verify/error'
import { type Fetcher, SimpleFetcher } from 'aws-jwt-verify/https'
import { type Jwks, SimpleJwksCache } from 'aws-jwt-verify/jwk'
import { RefusedCaller } from './refusal.ts'

/** Called with the reason when fetching starts to fail, and with undefined when it succeeds again. */
type OnKeysChange = (fault: string | undefined) => void

/** Returns the reason in words; never text from the issuer. */
function faultOf(error: unknown, uri: string): string {
  if (!(error instanceof FetchError)) return 'the answer is not a JSON Web Key Set'
  return error.message.replace(`Failed to fetch ${uri}: `, '')
}

/**
 * Caches the keys fetched over HTTPS, and fetches them again for an unknown key id. If the fresh keys lack that id too, its tokens are
 * refused and no caller triggers another fetch for it within 10 s; this does not count as a failure to fetch.
 * @throws {RefusedCaller} `CALLER_KEYS_UNAVAILABLE`
 */
export class IssuerKeys extends SimpleJwksCache {
  readonly #onChange: OnKeysChange
  /** Why the last fetch failed; undefined if it succeeded. */
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
