// Reads the keys file, which lists callers with their rights and the hashes of their keys, and finds the caller of a key.
import { hash, timingSafeEqual } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import type { Caller } from './caller.ts'

const closed = { additionalProperties: false }

/** The format of `CALLER_KEYS_FILE`. All members except `name` and `keySha256` are optional and can only narrow the settings. */
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
  /** Returns the caller of a key, in the same time for every key, known or not. */
  find(key: string): Caller | undefined
  readonly count: number
}

/** The hash of a key, and its caller. */
type Entry = { readonly digest: Buffer; readonly caller: Caller | undefined }

/** The entry that an unknown key is compared with; no key has this hash. */
const NOBODY: Entry = { digest: Buffer.alloc(32), caller: undefined }

/**
 * Reads the text of a keys file.
 * @param allowedRoles the roles of `HASURA_ALLOWED_ROLES`, which must include a caller's `role`; undefined: any role
 * @throws {Error} whose message says where the text is wrong, without quoting it
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
      // A lookup by hash leaks nothing about the key; the comparison then takes the same time for every key.
      const entry = entries.get(digest.toString('hex')) ?? NOBODY
      return timingSafeEqual(entry.digest, digest) ? entry.caller : undefined
    }
  }
}

/** Returns the entries by hash, in hex. */
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
  if (Value.Check(KeysFileSchema, file)) return file
  const error = Value.Errors(KeysFileSchema, file).First()
  throw new Error(`${(error && pathOf(error)) || 'the file'}: ${error?.message.toLowerCase()}`)
}

/** Returns the path of the fault. For an unexpected member it is the parent's path, since the member's name could be anything. */
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
