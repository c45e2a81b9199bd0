// --print-config: prints the effective settings, one per line, with where each comes from.
import { SettingsSchema } from '../settings.ts'

const SECRET = /SECRET(?!_FILE$)|PASSWORD/
/** The user info of a URL, with or without a scheme before it. */
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)?[^/?#\s]*@/i
/** URL parameters with credentials, such as ioredis accepts. */
const SECRET_PARAMETER = /([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&#]*/gi

/** Returns a value on one line, without secrets. */
function showValue(name: string, value: string): string {
  if (value === '') return ''
  if (SECRET.test(name)) return '***'
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) || /PROXY|URL|ENDPOINT|DOMAIN/.test(name)
  const shown = isUrl ? value.replace(USER_INFO, '$1').replace(SECRET_PARAMETER, '$1***') : value
  return /[\s#"']/.test(shown) ? JSON.stringify(shown) : shown
}

/**
 * Returns the settings as lines of `NAME=value # origin`, where the origin is `environment`, `.env` or `default`. Secrets are shown as
 * `***`, and URLs without user info. Settings without a value are listed too.
 * @param values from `readEnvironment`
 */
export function printConfig(values: Readonly<Record<string, string>>, environment: NodeJS.Dict<string> = process.env): string {
  const originOf = (name: string) => {
    if (environment[name] || (name.endsWith('_PROXY') && environment[name.toLowerCase()])) return 'environment'
    return name in values ? '.env' : 'default'
  }
  return Object.entries(SettingsSchema.properties)
    .map(([name, schema]) => `${name}=${showValue(name, values[name] ?? String(schema.default ?? ''))} # ${originOf(name)}`)
    .join('\n')
}
