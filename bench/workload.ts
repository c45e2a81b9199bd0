// Requests and responses, the same for every contender.

/** The token that the Cognito stand-in issues and the other contenders use; as long as a real Cognito token. */
export const TOKEN = `${'h'.repeat(100)}.${'p'.repeat(500)}.${'s'.repeat(342)}`

/** The body that callers post. */
export const REQUEST_BODY = JSON.stringify({
  query: 'query Users($limit: Int!) { users(limit: $limit, order_by: {id: asc}) { id name email } }',
  variables: { limit: 3 }
})

/** A small response of about 200 bytes. */
export const SMALL_ANSWER = JSON.stringify({
  data: {
    users: [
      { id: 1, name: 'Ada Lovelace', email: 'ada@example.com' },
      { id: 2, name: 'Grace Hopper', email: 'grace@example.com' },
      { id: 3, name: 'Edsger Dijkstra', email: 'edsger@example.com' }
    ]
  }
})

/** Sizes of the larger responses by name, in bytes; the upstream serves each at `/v1/<name>`. */
export const ANSWER_SIZES = { '1kB': 1_000, '100kB': 100_000, '10MB': 10_000_000 } as const
/** The name of a larger response. */
export type AnswerName = keyof typeof ANSWER_SIZES

/** JSON of exactly that many bytes, in the shape of a GraphQL response. */
export function answerOf(bytes: number): string {
  const frame = JSON.stringify({ data: { text: '' } })
  return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`)
}

/** Whether callers send one document, cycle through 1,000, or never repeat one. */
export type DocumentMix = 'same' | 'thousand' | 'new'
