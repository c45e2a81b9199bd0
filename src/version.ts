// The version of the service, from package.json.
import { readFileSync } from 'node:fs'

/** The version, such as 1.2.3. */
export const { version: serviceVersion } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}
