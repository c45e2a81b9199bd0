// Chooses between an app client's two active secrets: if Cognito refuses one, the other is tried.
import { readFile } from 'node:fs/promises'
import { ExchangeError } from './exchange-error.ts'
import type { TokenExchange } from './token-exchange.ts'

/** One of the two secrets. */
type SecretName = 'first' | 'fallback'

/** Where the secrets are; exactly one of `secret` and `secretFile` is set. */
export type ClientSecretOptions = {
  secret?: string | undefined
  /** File that holds the secret; one trailing line break is removed. It is read at every exchange, so a rotated secret needs no restart. */
  secretFile?: string | undefined
  /** The other active secret of the app client (Amazon Cognito, "Client secret rotation"). */
  fallback?: string | undefined
  /** Called when the exchange switches to the other secret. */
  onSecretChange?: (inUse: SecretName) => void
}

/**
 * Creates an exchange that uses the secret that worked last. After `invalid_client` it tries the other secret at once, if there is one.
 * @throws {ExchangeError} with code `secret_unreadable` if the file is missing or empty, and any that the endpoint throws
 */
export function createSecretExchange(endpoint: Pick<TokenExchange, 'exchange'>, options: ClientSecretOptions) {
  const { secret, secretFile, fallback, onSecretChange } = options
  let inUse: SecretName = 'first'

  const exchangeWith = async (name: SecretName) =>
    endpoint.exchange(name === 'fallback' && fallback !== undefined ? fallback : (secret ?? (await readSecret(secretFile))))

  return async () => {
    try {
      return await exchangeWith(inUse)
    } catch (error) {
      if (fallback === undefined || !(error instanceof ExchangeError) || error.code !== 'invalid_client') throw error
      const other = inUse === 'first' ? 'fallback' : 'first'
      const answer = await exchangeWith(other)
      inUse = other
      onSecretChange?.(other)
      return answer
    }
  }
}

async function readSecret(path: string | undefined): Promise<string> {
  try {
    const secret = (await readFile(path ?? '', 'utf8')).replace(/\r?\n$/, '')
    if (secret === '') throw new Error('the file is empty')
    return secret
  } catch (cause) {
    throw new ExchangeError('secret_unreadable', { cause })
  }
}
