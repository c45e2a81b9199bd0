/** Posts a body as JSON: a string as it is, anything else made into one. */
export const postJson = (url: string, body: unknown, headers: Record<string, string> = {}, signal: AbortSignal | null = null) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal
  })
