// Finds a member of a JSON object by reading its top level alone.

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPENING = new Set([0x7b, 0x5b])
const CLOSING = new Set([0x7d, 0x5d])

/**
 * Returns where the value of a member begins, or -1. Takes a text that is cut off: a member beyond the cut is not seen.
 * @param name without anything that JSON escapes
 */
export function findMember(json: Buffer, name: string): number {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number
    if (OPENING.has(byte)) depth++
    else if (CLOSING.has(byte)) depth--
    else if (byte === QUOTE) {
      const start = at + 1
      for (at = start; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++
      if (depth !== 1 || json.toString('latin1', start, at) !== name) continue
      const colon = skipSpace(json, at + 1)
      if (json[colon] === COLON) return skipSpace(json, colon + 1)
    }
  }
  return -1
}

/** Returns where the next byte is that is not white space. */
export function skipSpace(json: Buffer, from: number): number {
  let at = from
  while (at < json.length && (json[at] as number) <= 0x20) at++
  return at
}
