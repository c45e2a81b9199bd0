// Finds environment variables that look like settings but have no effect, so that a typo does not go unnoticed.
import { type Settings, SettingsSchema } from './settings.ts'

/** Prefixes that only this service's settings have. */
const OWN_NAME = /^(AWS_COGNITO|GRAPHQ|HASURA|CALLER|RATE_LIMIT|ANSWER_CACHE)_?/
/** Hasura's own settings, the variables that Kubernetes sets for a service called graphql or hasura, and other proxy settings. */
const FOREIGN_NAME = /^HASURA_GRAPHQL_|_SERVICE_(HOST|PORT)(_\w+)?$|^(GRAPHQL|HASURA)\w*_PORT(_\d+_(TCP|UDP)(_\w+)?)?$|_PROXY$/i
/** The shortest name that is compared; a shorter one resembles too many others. */
const COMPARED_LENGTH_MIN = 8
/** The most letters in which a name may differ from the setting that was probably meant. */
const SLIPS_MAX = 2

/** The kind of caller that a setting is for, by the prefix of its name. */
const KIND_OF_CALLER = { CALLER_KEYS_FILE: 'api-key', CALLER_JWT_: 'jwt' } as const

/**
 * Returns the names of variables without effect, each with the reason; never a value.
 * @param environment from `readEnvironment`
 * @param settings from `loadSettings`; default: only names are checked
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

/** The edit distance (Levenshtein) between two names, or Infinity if their lengths differ by more than {@link SLIPS_MAX}. */
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
