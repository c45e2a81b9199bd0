// Writes a tool's answer into the message that the SDK makes, every digit and byte of it as Hasura sent it.
import { randomUUID } from 'node:crypto'
import type { ToolAnswer } from './whole-answer.ts'

/**
 * A place for an answer. The SDK writes its messages with `JSON.stringify`, which would have to be given a parsed answer, numbers rounded;
 * so it gets a stand-in that nobody can guess, and the answer takes its place in the text.
 */
export class AnswerPlace {
  readonly #mark = randomUUID()
  #text: string | undefined

  /** Returns the result of a call (MCP 2025-11-25, "Structured Content"). */
  resultOf({ text, isError }: ToolAnswer) {
    this.#text = text
    return { content: [{ type: 'text' as const, text: this.#mark }], structuredContent: { [this.#mark]: true }, isError }
  }

  /** Returns the message with the answer in it, as a value and as a text; any other message as it is. */
  fill(message: string): string {
    const text = this.#text
    if (text === undefined) return message
    // Functions, because `$` means something in a replacement text.
    return message.replace(`{"${this.#mark}":true}`, () => text).replace(`"${this.#mark}"`, () => JSON.stringify(text))
  }
}
