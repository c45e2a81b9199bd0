// --new-key: creates a key for a caller, and its entry for the keys file.
import { createHash, randomBytes } from 'node:crypto'

const KEY_BYTES = 32

/**
 * Creates a key of 32 random bytes in base64url, and returns it with the caller's entry for `CALLER_KEYS_FILE`, which has only its SHA-256.
 * @param name the caller's name in the keys file
 */
export function newKey(name: string): string {
  const key = randomBytes(KEY_BYTES).toString('base64url')
  const keySha256 = [createHash('sha256').update(key).digest('hex')]
  return [
    'The key for the caller, which is not shown again:',
    key,
    '',
    'The entry for "callers" in CALLER_KEYS_FILE:',
    JSON.stringify({ name, keySha256 })
  ].join('\n')
}
