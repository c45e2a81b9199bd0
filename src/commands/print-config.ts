// --print-config: the settings in force, one a line, with where each came from.
import { SettingsSchema } from '../settings.ts'

const SECRET = /SECRET(?!_FILE$)|PASSWORD/
/** What stands before the host of a URL and its `@`, with or without a scheme. */
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)?[^/?#\s]*@/i
/** The URL parameters that hold credentials, such as ioredis takes them. */
const SECRET_PARAMETER = /([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&#]*/gi

/** Returns a value as it may be shown, on one line. */
function showValue(name: string, value: string): string {
  if (value === '') return ''
  if (SECRET.test(name)) return '***'
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) || /PROXY|URL|ENDPOINT|DOMAIN/.test(name)
  const shown = isUrl ? value.replace(USER_INFO, '$1').replace(SECRET_PARAMETER, '$1***') : value
  return /[\s#"']/.test(shown) ? JSON.stringify(shown) : shown
}

/**
 * Returns the settings as text: `NAME=value # origin`, the origin being `environment`, `.env` or `default`. Secrets are `***`, and
 * URLs have no user info. Settings without a value are listed too.
 * @param values as `readEnvironment` gives them
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
