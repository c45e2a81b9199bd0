// --help: lists the options, and every setting with its default and meaning.
import { SettingsSchema } from '../settings.ts'
import { listOptions } from './command-line.ts'

const describeDefault = (defaultValue: unknown): string =>
  defaultValue === undefined || defaultValue === '' ? '' : ` (default ${defaultValue})`

/** Returns the help text, with the settings in the order of their schema. */
export function help(): string {
  const settings = Object.entries(SettingsSchema.properties).map(
    ([name, schema]) => `  ${name}${describeDefault(schema.default)}\n      ${schema.description}`
  )
  return [listOptions(), '', 'Settings, from the environment or the .env file in the working directory:', '', ...settings].join('\n')
}
