// Callers by key: a file of names, rights and hashes of keys.
import { hash, timingSafeEqual } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import type { Caller } from './caller.ts'

const closed = { additionalProperties: false }

/** The format of `CALLER_KEYS_FILE`. All but `name` and `keySha256` is optional and can only narrow the settings. */
const KeysFileSchema = Type.Object(
  {
    callers: Type.Array(
      Type.Object(
        {
          name: Type.String({ pattern: '^[\\w.@-]{1,64}$' }),
          keySha256: Type.Array(Type.String({ pattern: '^[0-9a-fA-F]{64}$' }), { minItems: 1 }),
          role: Type.Optional(Type.String({ minLength: 1 })),
          roles: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
          operations: Type.Optional(
            Type.Array(Type.Union([Type.Literal('query'), Type.Literal('mutation'), Type.Literal('subscription')]))
          ),
          adhoc: Type.Optional(Type.Boolean()),
          rateLimitPerMinute: Type.Optional(Type.Integer({ minimum: 1 }))
        },
        closed
      )
    )
  },
  closed
)

type KeysFile = Static<typeof KeysFileSchema>

/** The callers of one version of the file. */
export type KeyCallers = {
  /** Returns the caller that a key belongs to. Takes the same time for every key, known or not. */
  find(key: string): Caller | undefined
  readonly count: number
}

/** A key's hash, and whose key it is. */
type Entry = { readonly digest: Buffer; readonly caller: Caller | undefined }

/** What an unknown key is compared with: the hash of no key. */
const NOBODY: Entry = { digest: Buffer.alloc(32), caller: undefined }

/**
 * Reads the text of a keys file.
 * @param allowedRoles those of `HASURA_ALLOWED_ROLES`, one of which a caller's `role` must be; undefined: any
 * @throws {Error} that says where the text is wrong, without showing any of it
 */
export function parseKeyCallers(text: string, allowedRoles: ReadonlySet<string> | undefined): KeyCallers {
  const file = parse(text)
  const names = file.callers.map(({ name }) => name)
  if (new Set(names).size < names.length) throw new Error('two callers have the same name')
  assertRoles(file, allowedRoles)
  const entries = entriesOf(file)
  return {
    count: names.length,
    find(key) {
      const digest = hash('sha256', key, 'buffer')
      // A hash tells nothing of the key, so it may be looked up; it is compared whole, in the same time for every key.
      const entry = entries.get(digest.toString('hex')) ?? NOBODY
      return timingSafeEqual(entry.digest, digest) ? entry.caller : undefined
    }
  }
}

/** The entries by their hashes in hex. */
function entriesOf(file: KeysFile): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const { keySha256, ...rights } of file.callers) {
    const caller = toCaller(rights)
    for (const hex of keySha256) {
      const digest = Buffer.from(hex, 'hex')
      const known = digest.toString('hex')
      if (entries.has(known)) throw new Error('a key is listed twice')
      entries.set(known, { digest, caller })
    }
  }
  return entries
}

function assertRoles({ callers }: KeysFile, allowedRoles: ReadonlySet<string> | undefined): void {
  for (const [at, { role, roles }] of callers.entries()) {
    if (role === undefined) continue
    if (allowedRoles?.has(role) === false) throw new Error(`/callers/${at}/role: must be one of HASURA_ALLOWED_ROLES`)
    if (roles && !roles.includes(role)) throw new Error(`/callers/${at}/role: must be one of the caller's roles`)
  }
}

function parse(text: string): KeysFile {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  const error = Value.Errors(KeysFileSchema, file).First()
  if (error) throw new Error(`${pathOf(error) || 'the file'}: ${error.message.toLowerCase()}`)
  return file as KeysFile
}

/** Where the fault lies. An unexpected member is not named, only its parent, since its name may be anything. */
const pathOf = ({ path, type }: ValueError) => (type === ValueErrorType.ObjectAdditionalProperties ? path.replace(/\/[^/]*$/, '') : path)

type Rights = Omit<KeysFile['callers'][number], 'keySha256'>

const toCaller = ({ name, role, roles, operations, adhoc, rateLimitPerMinute }: Rights): Caller => ({
  kind: 'key',
  name,
  label: name,
  ...(role !== undefined && { role }),
  ...(roles && { roles: new Set(roles) }),
  ...(operations && { operations: new Set(operations) }),
  ...(adhoc !== undefined && { adhoc }),
  ...(rateLimitPerMinute !== undefined && { rateLimitPerMinute })
})
