// Reads the comment at the top of an operation's file: a description, and an example of the variables.
import { isObject } from '../json.ts'
import type { StoredOperation } from './stored-operation.ts'

/** The content of the comment. */
type Head = {
  /** The text without the example; empty lines separate paragraphs. */
  readonly description: string | undefined
  /** The text after `@example`, up to an empty line. */
  readonly exampleText: string | undefined
  /** The line of `@example` in the file, counted from 1. */
  readonly exampleLine: number
}

/** Reads the `#` lines at the top of a file. */
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

/** Reads an example: a JSON object of variables, whose numbers keep their digits. If it is invalid, returns a string that says why. */
export function parseExample(text: string, variables: StoredOperation['variables']): Readonly<Record<string, unknown>> | string {
  let example: unknown
  try {
    example = JSON.parse(text, (_, value, { source }: { source?: string } = {}) =>
      typeof value === 'number' && source !== undefined ? JSON.rawJSON(source) : value
    )
  } catch {
    return 'the text after @example is not JSON'
  }
  if (!isObject(example) || JSON.isRawJSON(example)) return 'the text after @example is not a JSON object of variables'
  const strange = Object.keys(example).find(name => !variables.some(variable => variable.name === name))
  return strange === undefined ? { ...example } : `the @example has "${strange}", which is not a variable`
}
