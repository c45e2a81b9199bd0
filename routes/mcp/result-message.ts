// Inserts a tool's answer into the SDK's message, byte for byte as Hasura sent it.
import { randomUUID } from 'node:crypto'
import type { ToolAnswer } from './whole-answer.ts'

/**
 * A placeholder for an answer. The SDK writes messages with `JSON.stringify`, which would need a parsed answer with rounded numbers. So it
 * gets a random mark that nobody can guess, and the mark is replaced by the answer in the text.
 */
export class AnswerPlace {
  readonly #mark = randomUUID()
  #text: string | undefined

  /** Returns the result of a call (MCP 2025-11-25, "Structured Content"). */
  resultOf({ text, isError }: ToolAnswer) {
    this.#text = text
    return { content: [{ type: 'text' as const, text: this.#mark }], structuredContent: { [this.#mark]: true }, isError }
  }

  /** Returns the message with the answer in place of its marks, as a value and as text; returns any other message unchanged. */
  fill(message: string): string {
    const text = this.#text
    if (text === undefined) return message
    // Functions, because `$` has a special meaning in a replacement string.
    return message.replace(`{"${this.#mark}":true}`, () => text).replace(`"${this.#mark}"`, () => JSON.stringify(text))
  }
}
