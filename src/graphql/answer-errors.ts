// Detects GraphQL errors in an answer from its first and last bytes, without parsing it.
import { findMember, skipSpace } from './top-level-member.ts'

/** How many bytes at the beginning are searched. */
const SEARCHED_MAX_BYTES = 4_096
/** Up to this size, an answer that begins with data is searched whole. A larger one usually has no errors and is not searched. */
const DATA_SEARCHED_MAX_BYTES = 1_024
const DATA_START = Buffer.from('{"data":{')
const ERRORS = Buffer.from('"errors"')
const ERRORS_END = Buffer.from(']}')
const OPENING_BRACKET = 0x5b
const CLOSING_BRACKET = 0x5d
/** Matches the code of an error, but never text inside a string, where a quote would be escaped. */
const CODE = /"code"\s*:\s*"([\w.-]{1,64})"/

/** The errors of an answer. */
export type AnswerErrors = {
  /** The first code in the first 4 KiB of the errors, safe to log; undefined if there is none. */
  readonly code: string | undefined
}

/**
 * Returns what is known of the `errors` in an answer; undefined if it has none. Hasura v2 writes them first, DDN after `"data":null`.
 * Errors next to data are found in an answer of up to 1 KiB, or up to 64 KiB if it ends with them. A compressed answer is not searched,
 * since Hasura does not compress errors.
 * @param head the whole answer, or its first bytes
 * @param isWhole whether `head` is the whole answer
 */
export function readErrors(head: Buffer, isWhole: boolean, contentEncoding?: string): AnswerErrors | undefined {
  if (contentEncoding !== undefined) return undefined
  const part = searchedPart(head, isWhole)
  const at = part === undefined ? -1 : findMember(part, 'errors')
  if (part === undefined || part[at] !== OPENING_BRACKET || part[skipSpace(part, at + 1)] === CLOSING_BRACKET) return undefined
  return { code: CODE.exec(part.toString('latin1', at, at + SEARCHED_MAX_BYTES))?.[1] }
}

/** Returns the part of an answer to search; undefined if the answer shows only data. */
function searchedPart(head: Buffer, isWhole: boolean): Buffer | undefined {
  if (!startsWithData(head)) return isWhole && endsWithErrors(head) ? head : head.subarray(0, SEARCHED_MAX_BYTES)
  if (!isWhole || (head.length > DATA_SEARCHED_MAX_BYTES && !endsWithErrors(head))) return undefined
  return head.includes(ERRORS) ? head : undefined
}

const startsWithData = (head: Buffer) => head.subarray(0, DATA_START.length).equals(DATA_START)

const endsWithErrors = (head: Buffer) => head.subarray(-ERRORS_END.length).equals(ERRORS_END)
