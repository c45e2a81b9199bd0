// Finds what looks like a setting and has no effect, so that a slip of the pen does not go unnoticed.
import { type Settings, SettingsSchema } from './settings.ts'

/** How the names of settings begin that nothing else on a machine is named like. */
const OWN_NAME = /^(AWS_COGNITO|GRAPHQ|HASURA|CALLER|RATE_LIMIT|ANSWER_CACHE)_?/
/** Hasura's own settings, what Kubernetes sets for a service that is called graphql or hasura, and proxies of other kinds. */
const FOREIGN_NAME = /^HASURA_GRAPHQL_|_SERVICE_(HOST|PORT)(_\w+)?$|^(GRAPHQL|HASURA)\w*_PORT(_\d+_(TCP|UDP)(_\w+)?)?$|_PROXY$/i
/** A shorter name is like too many others. */
const COMPARED_LENGTH_MIN = 8
/** How many letters may differ. */
const SLIPS_MAX = 2

/** Which kind of caller a setting is for, by the beginning of its name. */
const KIND_OF_CALLER = { CALLER_KEYS_FILE: 'api-key', CALLER_JWT_: 'jwt' } as const

/**
 * Returns the names that have no effect, each with the reason; never a value.
 * @param environment as `readEnvironment` gives it
 * @param settings as `loadSettings` gives them; default: what follows from names alone
 */
export function settingsWithoutEffect(environment: Readonly<Record<string, string>>, settings?: Settings): string[] {
  const known = Object.keys(SettingsSchema.properties)
  const unknown = Object.keys(environment)
    .filter(name => !known.includes(name))
    .flatMap(name => describeUnknown(name, known) ?? [])
  const idle = Object.entries(KIND_OF_CALLER).flatMap(([prefix, kind]) =>
    settings === undefined || settings.CALLER_AUTH.has(kind)
      ? []
      : known.filter(name => name.startsWith(prefix) && name in environment).map(name => `${name} (CALLER_AUTH has no ${kind})`)
  )
  return [...unknown, ...idle]
}

function describeUnknown(name: string, known: readonly string[]): string | undefined {
  if (FOREIGN_NAME.test(name)) return undefined
  const meant =
    name.length < COMPARED_LENGTH_MIN ? undefined : known.find(setting => slipsBetween(name.toUpperCase(), setting) <= SLIPS_MAX)
  if (meant !== undefined) return `${name} (did you mean ${meant}?)`
  return OWN_NAME.test(name) ? `${name} (no such setting)` : undefined
}

/** The edit distance (Levenshtein) of two names, or a larger number where they are too far apart to matter. */
function slipsBetween(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > SLIPS_MAX) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let n = 1; n <= one.length; n++) {
    const next = [n]
    for (let at = 1; at <= other.length; at++) {
      const replaced = (row[at - 1] ?? 0) + (one[n - 1] === other[at - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}
