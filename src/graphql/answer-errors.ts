// Whether an answer has errors, told by its first and last bytes; only what could have some is read, and nothing is parsed.
import { findMember, skipSpace } from './top-level-member.ts'

/** How many of the first bytes are searched. */
const SEARCHED_MAX_BYTES = 4_096
/** Up to this many bytes an answer that begins with data is searched whole, since good ones are to cost nothing. */
const DATA_SEARCHED_MAX_BYTES = 1_024
const DATA_START = Buffer.from('{"data":{')
const ERRORS = Buffer.from('"errors"')
const ERRORS_END = Buffer.from(']}')
const OPENING_BRACKET = 0x5b
const CLOSING_BRACKET = 0x5d
/** The code of an error; a quote within a text would have a backslash before it. */
const CODE = /"code"\s*:\s*"([\w.-]{1,64})"/

/** The errors of an answer. */
export type AnswerErrors = {
  /** The first code, where there is one in the first 4 KiB of the errors; fit for a log line. */
  readonly code: string | undefined
}

/**
 * Returns what is known of the `errors` of an answer; undefined where it has none. Hasura v2 writes them first, DDN after `"data":null`;
 * errors beside data are seen in an answer of at most 1 KiB, and up to 64 KiB in one that ends with them. An answer that is compressed is not looked
 * into: Hasura compresses no errors.
 * @param head the whole answer, or its first bytes
 * @param isWhole whether it is the whole
 */
export function readErrors(head: Buffer, isWhole: boolean, contentEncoding?: string): AnswerErrors | undefined {
  if (contentEncoding !== undefined) return undefined
  const part = searchedPart(head, isWhole)
  const at = part === undefined ? -1 : findMember(part, 'errors')
  if (part === undefined || part[at] !== OPENING_BRACKET || part[skipSpace(part, at + 1)] === CLOSING_BRACKET) return undefined
  return { code: CODE.exec(part.toString('latin1', at, at + SEARCHED_MAX_BYTES))?.[1] }
}

/** What of an answer is worth reading; nothing of one that shows data alone. */
function searchedPart(head: Buffer, isWhole: boolean): Buffer | undefined {
  if (!startsWithData(head)) return isWhole && endsWithErrors(head) ? head : head.subarray(0, SEARCHED_MAX_BYTES)
  if (!isWhole || (head.length > DATA_SEARCHED_MAX_BYTES && !endsWithErrors(head))) return undefined
  return head.includes(ERRORS) ? head : undefined
}

const startsWithData = (head: Buffer) => head.subarray(0, DATA_START.length).equals(DATA_START)

const endsWithErrors = (head: Buffer) => head.subarray(-ERRORS_END.length).equals(ERRORS_END)
