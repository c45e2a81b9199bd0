// What the command line asks for: the service itself, or one command.
import { parseArgs } from 'node:util'

/** What each option does, as `--help` and a usage error list them. */
export const COMMANDS = {
  help: 'prints this text',
  version: 'prints the version',
  check: 'checks settings, files and stored operations without a network; prints "ok", or what is wrong and exits 1',
  'print-config': 'prints the settings in force and where each comes from; secrets as ***',
  doctor: 'as --check, then gets a token from Cognito and runs { __typename } at Hasura; says what to do where a step fails',
  'new-key': 'makes a key for a caller, and its entry for CALLER_KEYS_FILE'
} as const

/** The name of an option, without its dashes. */
export type CommandName = keyof typeof COMMANDS

/** A command and its argument, which `new-key` alone has. */
export type Command = { readonly name: CommandName; readonly argument?: string }

/** Thrown where the command line makes no sense; its message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The name of a caller, as CALLER_KEYS_FILE takes it. */
const CALLER_NAME = /^[\w.@-]{1,64}$/

const flag = { type: 'boolean' } as const
const OPTIONS = {
  help: flag,
  version: flag,
  check: flag,
  'print-config': flag,
  doctor: flag,
  'new-key': { type: 'string' }
} as const satisfies Record<CommandName, object>

/**
 * Reads the arguments behind the script's name; undefined where there are none, which starts the service.
 * @throws {UsageError} for an unknown option, an argument too many, or more than one command
 */
export function readCommandLine(args: readonly string[]): Command | undefined {
  const chosen = Object.entries(parse(args))
  const [first, second] = chosen
  if (first === undefined) {
    // A lone `--` names nothing.
    if (args.length > 0) throw new UsageError('No option is given.')
    return undefined
  }
  if (second !== undefined) throw new UsageError('Options run one at a time.')
  const [name, value] = first as [CommandName, string | boolean]
  if (typeof value !== 'string') return { name }
  if (!CALLER_NAME.test(value)) throw new UsageError('The name of a caller is 1 to 64 letters, digits or any of _ . @ -')
  return { name, argument: value }
}

function parse(args: readonly string[]): Partial<Record<CommandName, string | boolean>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** The options, one a line. */
export function listOptions(): string {
  const lines = Object.entries(COMMANDS).map(([name, does]) => {
    const option = name === 'new-key' ? `--${name} <name>` : `--${name}`
    return `  ${option.padEnd(18)}${does}`
  })
  return ['Usage: node src/start.js [option]', '', 'Without an option the service starts. One option at a time:', '', ...lines].join('\n')
}
