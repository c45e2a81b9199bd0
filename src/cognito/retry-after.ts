// Reads times from HTTP headers: `Retry-After` and dates.

/**
 * Reads `Retry-After`, in ms: whole seconds or an HTTP date (RFC 9110, section 10.2.3); undefined if it is neither.
 * @param date the `Date` of the same answer; a `Retry-After` date is compared with it, so that this machine's clock does not matter
 * @param wallMs the wall clock in ms since 1970, used if the answer has no `Date`
 */
export function readRetryAfter(value: string | undefined, date: string | undefined, wallMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000
  const untilMs = readHttpDate(value)
  return untilMs === undefined ? undefined : Math.max(0, untilMs - (readHttpDate(date) ?? wallMs))
}

/** Reads an HTTP date in any of its three forms (RFC 9110, section 5.6.7), in ms since 1970; undefined if it is not one. */
export function readHttpDate(value: string | undefined): number | undefined {
  if (value === undefined || !/^\s*(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value)) return undefined
  // The asctime form has no time zone and would be read as local time.
  const dateMs = Date.parse(/GMT\s*$/.test(value) ? value : `${value} GMT`)
  return Number.isNaN(dateMs) ? undefined : dateMs
}
