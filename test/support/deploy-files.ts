// Reads the files in deploy/, and checks their settings as the service would.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { loadSettings, type Settings } from '../../src/settings.ts'

const PROJECT = new URL('../../', import.meta.url)

/** The text of a file of the project. */
export const readProjectFile = (path: string): string => readFileSync(new URL(path, PROJECT), 'utf8')

/** A YAML or JSON file of the project, as the type that the caller gives. */
export const parseProjectFile = <T>(path: string): T => parse(readProjectFile(path)) as T

/** The settings as the service reads them in a container; files that only the container has are read from `files`. */
export const settingsInContainer = (environment: Record<string, string>, files: Record<string, string> = {}): Promise<Settings> =>
  loadSettings({ HOST: '0.0.0.0', PORT: '3000', ...environment, ...files })
