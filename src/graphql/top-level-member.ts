// Finds a member at the top level of a JSON object.

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPENING = new Set([0x7b, 0x5b])
const CLOSING = new Set([0x7d, 0x5d])

/**
 * Returns the index at which the value of a member begins, or -1. The text may be incomplete; a member beyond its end is not found.
 * @param name without characters that JSON escapes
 */
export function findMember(json: Buffer, name: string): number {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0
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

/** Returns the index of the next byte that is not white space. */
export function skipSpace(json: Buffer, from: number): number {
  let at = from
  while (at < json.length && (json[at] ?? 0) <= 0x20) at++
  return at
}
