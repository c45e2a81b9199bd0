// Reads the version of the service, for the pages and documents that name it.
import { readFileSync } from 'node:fs'

/** The version in package.json. */
export const { version: serviceVersion } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}
