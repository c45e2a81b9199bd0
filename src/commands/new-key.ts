// --new-key: a fresh key for a caller, and the entry that lets it in.
import { createHash, randomBytes } from 'node:crypto'

const KEY_BYTES = 32

/**
 * Makes a key of 32 random bytes in base64url, and returns it with the caller's entry for `CALLER_KEYS_FILE`, which holds its SHA-256 alone.
 * @param name as the keys file takes it
 */
export function newKey(name: string): string {
  const key = randomBytes(KEY_BYTES).toString('base64url')
  const keySha256 = [createHash('sha256').update(key).digest('hex')]
  return [
    'The key, shown this once; give it to the caller:',
    key,
    '',
    'The entry for "callers" in CALLER_KEYS_FILE:',
    JSON.stringify({ name, keySha256 })
  ].join('\n')
}
