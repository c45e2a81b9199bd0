// Runs one command and prints its result to standard output.
import { loadSettings, readEnvironment, SettingsError, SettingsSchema } from '../settings.ts'
import { serviceVersion } from '../version.ts'
import { checkEverything, writeCheck } from './check.ts'
import { type Command, listOptions } from './command-line.ts'
import { runDoctor } from './doctor.ts'
import { newKey } from './new-key.ts'
import { printConfig } from './print-config.ts'

const print = (text: string) => console.log(text)

/** Runs a command and returns the exit code: 0, or 1 if there is a problem. */
export async function runCommand({ name, argument = '' }: Command): Promise<number> {
  switch (name) {
    case 'help':
      return say(help())
    case 'version':
      return say(serviceVersion)
    case 'new-key':
      return say(newKey(argument))
    case 'print-config':
      return showConfig()
    case 'check':
    case 'doctor':
      return examine(name)
  }
}

const describeDefault = (defaultValue: unknown): string =>
  defaultValue === undefined || defaultValue === '' ? '' : ` (default ${defaultValue})`

/** Returns the help text, with the settings in the order of their schema. */
function help(): string {
  const settings = Object.entries(SettingsSchema.properties).map(
    ([name, schema]) => `  ${name}${describeDefault(schema.default)}\n      ${schema.description}`
  )
  return [listOptions(), '', 'Settings, from the environment or the .env file in the working directory:', '', ...settings].join('\n')
}

function say(text: string): number {
  print(text)
  return 0
}

/** Runs --check or --doctor; warnings go to standard error, so that standard output has only the result. */
async function examine(name: 'check' | 'doctor'): Promise<number> {
  const findings = await checkEverything()
  for (const warning of findings.warnings) console.error(`warning: ${warning}`)
  if (name === 'doctor') return (await runDoctor(findings, print)) ? 0 : 1
  const result = writeCheck(findings)
  print(result)
  return result === 'ok' ? 0 : 1
}

async function showConfig(): Promise<number> {
  try {
    const environment = readEnvironment()
    await loadSettings(environment)
    return say(printConfig(environment))
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    console.error(error.message)
    return 1
  }
}
