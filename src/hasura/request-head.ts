// The head of a request to Hasura: what all have in common is written once for each token.

/**
 * Makes what writes heads, each field with its line break, without `content-length`.
 * @param tokenHeader `Authorization` carries `Bearer <jwt>`, any other the bare JWT
 */
export function createHeadWriter(endpoint: string, tokenHeader: string) {
  const { host, pathname, search } = new URL(endpoint)
  const start = `POST ${pathname}${search} HTTP/1.1\r\n`
  const tokenPrefix = tokenHeader.toLowerCase() === 'authorization' ? 'Bearer ' : ''
  const common = ['host', host, 'content-type', 'application/json', 'accept', 'application/json', tokenHeader]
  let known: string | undefined
  let head = ''
  /** @param headers names and values in turn */
  return (token: string, headers: readonly string[]): string => {
    if (token !== known) {
      head = start + fieldLines([...common, tokenPrefix + token])
      known = token
    }
    return head + fieldLines(headers)
  }
}

const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Header fields as they are sent. Names come from the settings, values may not; what would break out of its line is a fault. */
function fieldLines(namesAndValues: readonly string[]): string {
  let lines = ''
  for (let n = 0; n + 1 < namesAndValues.length; n += 2) {
    const value = namesAndValues[n + 1] as string
    if (!FIELD_VALUE.test(value)) throw new Error(`not a header value: ${namesAndValues[n]}`)
    lines += `${namesAndValues[n]}: ${value}\r\n`
  }
  return lines
}
