// Callers by key: a file of names, rights and hashes of keys.
import { createHash, timingSafeEqual } from 'node:crypto'
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
          roles: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
          operations: Type.Optional(Type.Array(Type.Union([Type.Literal('query'), Type.Literal('mutation')]))),
          adhoc: Type.Optional(Type.Boolean()),
          rateLimitPerMinute: Type.Optional(Type.Integer({ minimum: 1 }))
        },
        closed
      )
    )
  },
  closed
)

/** The callers of one version of the file. */
export type KeyCallers = {
  /** Returns the caller that a key belongs to. Takes the same time for every key, known or not. */
  find(key: string): Caller | undefined
  readonly count: number
}

/**
 * Reads the text of a keys file.
 * @throws {Error} that says where the text is wrong, without showing any of it
 */
export function parseKeyCallers(text: string): KeyCallers {
  const file = parse(text)
  const names = file.callers.map(({ name }) => name)
  if (new Set(names).size < names.length) throw new Error('two callers have the same name')
  const entries = file.callers.flatMap(({ keySha256, ...rights }) => {
    const caller = toCaller(rights)
    return keySha256.map(hash => ({ hash: Buffer.from(hash, 'hex'), caller }))
  })
  if (new Set(entries.map(({ hash }) => hash.toString('hex'))).size < entries.length) throw new Error('a key is listed twice')
  return {
    count: names.length,
    find(key) {
      const presented = createHash('sha256').update(key).digest()
      let found: Caller | undefined
      // Every entry is compared, so that the time taken does not reveal where a match is.
      for (const { hash, caller } of entries) if (timingSafeEqual(hash, presented)) found = caller
      return found
    }
  }
}

function parse(text: string): Static<typeof KeysFileSchema> {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  const error = Value.Errors(KeysFileSchema, file).First()
  if (error) throw new Error(`${pathOf(error) || 'the file'}: ${error.message.toLowerCase()}`)
  return file as Static<typeof KeysFileSchema>
}

/** Where the fault lies. An unexpected member is not named, only its parent, since its name may be anything. */
const pathOf = ({ path, type }: ValueError) => (type === ValueErrorType.ObjectAdditionalProperties ? path.replace(/\/[^/]*$/, '') : path)

type Rights = Omit<Static<typeof KeysFileSchema>['callers'][number], 'keySha256'>

const toCaller = ({ name, roles, operations, adhoc, rateLimitPerMinute }: Rights): Caller => ({
  kind: 'key',
  name,
  label: name,
  ...(roles && { roles: new Set(roles) }),
  ...(operations && { operations: new Set(operations) }),
  ...(adhoc !== undefined && { adhoc }),
  ...(rateLimitPerMinute !== undefined && { rateLimitPerMinute })
})
