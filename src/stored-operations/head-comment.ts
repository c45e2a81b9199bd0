// Reads the comment at the head of an operation's file: a description, and an example of the variables.
import type { StoredOperation } from './stored-operation.ts'

/** What the comment says. */
type Head = {
  /** The text without the example; an empty line separates paragraphs. */
  readonly description: string | undefined
  /** What stands behind `@example`, up to an empty line. */
  readonly exampleText: string | undefined
  /** The line of the file that `@example` stands in, from 1. */
  readonly exampleLine: number
}

/** Reads the `#` lines at the head of a file. */
export function readHead(text: string): Head {
  const [head] = /^\ufeff?(\s*#[^\r\n]*)*/.exec(text) ?? ['']
  const lines = head.split(/\r\n|\n|\r/).map(line => line.trim().replace(/^\ufeff?#+ ?/, ''))
  const start = lines.findIndex(line => /^@example\b/.test(line))
  if (start === -1) return { description: lines.join('\n').trim() || undefined, exampleText: undefined, exampleLine: 0 }
  const length = lines.slice(start).findIndex(line => line.trim() === '')
  const example = lines.splice(start, length === -1 ? lines.length : length)
  return {
    description: lines.join('\n').trim() || undefined,
    exampleText: example.join('\n').slice('@example'.length),
    exampleLine: start + 1
  }
}

/** Reads the text of an example: the JSON object of variables, whose numbers keep their digits. Returns what is wrong with it instead. */
export function parseExample(text: string, variables: StoredOperation['variables']): Readonly<Record<string, unknown>> | string {
  let example: unknown
  try {
    example = JSON.parse(text, (_, value, { source }: { source?: string } = {}) =>
      typeof value === 'number' && source !== undefined ? JSON.rawJSON(source) : value
    )
  } catch {
    return 'what stands behind @example is not JSON'
  }
  if (typeof example !== 'object' || example === null || Array.isArray(example) || JSON.isRawJSON(example))
    return 'what stands behind @example is not a JSON object of the variables'
  const strange = Object.keys(example).find(name => !variables.some(variable => variable.name === name))
  return strange === undefined ? { ...example } : `the @example has "${strange}", which is not a variable`
}
