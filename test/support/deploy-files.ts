// Reads what deploy/ holds, and tries its settings as the service would.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { loadSettings, type Settings } from '../../src/settings.ts'

const PROJECT = new URL('../../', import.meta.url)

/** The text of a file of the project. */
export const readProjectFile = (path: string): string => readFileSync(new URL(path, PROJECT), 'utf8')

/** A YAML or JSON file of the project; the caller says what it is taken for. */
export const parseProjectFile = <T>(path: string): T => parse(readProjectFile(path)) as T

/** The settings as the service reads them in a container; a file that only the container has is looked for at `files`. */
export const settingsInContainer = (environment: Record<string, string>, files: Record<string, string> = {}): Promise<Settings> =>
  loadSettings({ HOST: '0.0.0.0', PORT: '3000', ...environment, ...files })
