// Reads the command line, which starts the service or runs one command.
import { parseArgs } from 'node:util'

/** The options as `parseArgs` takes them, with the descriptions that `--help` and usage errors list. */
const COMMANDS = {
  help: { type: 'boolean', does: 'prints this text' },
  version: { type: 'boolean', does: 'prints the version' },
  check: {
    type: 'boolean',
    does: 'checks settings, files and stored operations without a network; prints "ok", or lists the problems and exits with 1'
  },
  'print-config': { type: 'boolean', does: 'prints the effective settings and where each comes from, with secrets as ***' },
  doctor: {
    type: 'boolean',
    does: 'like --check, then gets a token from Cognito and runs { __typename } at Hasura; says what to do if a step fails'
  },
  'new-key': { type: 'string', does: 'creates a key for a caller, and prints its entry for CALLER_KEYS_FILE' }
} as const

/** The name of an option, without its dashes. */
type CommandName = keyof typeof COMMANDS

/** A command and its argument, which only `new-key` has. */
export type Command = { readonly name: CommandName; readonly argument?: string }

/** Thrown if the command line is invalid; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The name of a caller, as CALLER_KEYS_FILE requires it. */
const CALLER_NAME = /^[\w.@-]{1,64}$/

/**
 * Reads the arguments after the script's name; undefined if there are none, which starts the service.
 * @throws {UsageError} for an unknown option, an extra argument, or more than one command
 */
export function readCommandLine(args: readonly string[]): Command | undefined {
  const chosen = Object.entries(parse(args))
  const [first, second] = chosen
  if (first === undefined) {
    // A single `--` is not an option.
    if (args.length > 0) throw new UsageError('The command line has no option.')
    return undefined
  }
  if (second !== undefined) throw new UsageError('Give only one option at a time.')
  const [name, value] = first as [CommandName, string | boolean]
  if (typeof value !== 'string') return { name }
  if (!CALLER_NAME.test(value)) throw new UsageError('The name of a caller must be 1 to 64 letters, digits or any of _ . @ -')
  return { name, argument: value }
}

function parse(args: readonly string[]): Partial<Record<CommandName, string | boolean>> {
  try {
    return parseArgs({ args: [...args], options: COMMANDS }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** Returns the usage text with the options, one per line. */
export function listOptions(): string {
  const lines = Object.entries(COMMANDS).map(([name, { type, does }]) => {
    const option = type === 'string' ? `--${name} <name>` : `--${name}`
    return `  ${option.padEnd(18)}${does}`
  })
  return ['Usage: node src/start.js [option]', '', 'Without an option, the service starts. Give one option at a time:', '', ...lines].join(
    '\n'
  )
}
