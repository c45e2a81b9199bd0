// Negotiates the media type of an answer by GraphQL over HTTP, and chooses the status that goes with it.
import Negotiator from 'negotiator'

/** The legacy type; with it, the status is Hasura's own. */
export const JSON_TYPE = 'application/json'
/** The type that the specification defines; with it, the status tells whether the request was executed. */
export const GRAPHQL_RESPONSE_TYPE = 'application/graphql-response+json'
/** One of the two types that an answer can have. */
export type ResponseType = typeof JSON_TYPE | typeof GRAPHQL_RESPONSE_TYPE

/** The longest header that is parsed, in characters: browsers send less than 200, and 15,000 would take 7 ms. */
export const HEADER_MAX_LENGTH = 1_000

// Negotiator treats a parameter such as charset as part of the type, so each type is offered with and without it.
const OFFER = [JSON_TYPE, `${JSON_TYPE};charset=utf-8`, GRAPHQL_RESPONSE_TYPE, `${GRAPHQL_RESPONSE_TYPE};charset=utf-8`]

/**
 * Returns the type to answer with: JSON if the caller accepts any type or names none; undefined if it accepts neither
 * (GraphQL over HTTP, "Accept"; RFC 9110, section 12.5.1). A header longer than {@link HEADER_MAX_LENGTH} is ignored,
 * as the RFC allows, and the answer is JSON.
 */
export function negotiateType(accept: string | undefined): ResponseType | undefined {
  if (!accept || accept === '*/*' || accept === JSON_TYPE || accept.length > HEADER_MAX_LENGTH) return JSON_TYPE
  const chosen = new Negotiator({ headers: { accept } }).mediaType(OFFER)
  if (!chosen) return undefined
  return chosen.startsWith(GRAPHQL_RESPONSE_TYPE) ? GRAPHQL_RESPONSE_TYPE : JSON_TYPE
}

/** Returns the status of an answer: Hasura's own, but 400 instead of 200 for {@link GRAPHQL_RESPONSE_TYPE} if nothing was executed. */
export function statusOf(type: ResponseType, status: number, hasData: () => boolean): number {
  return type === GRAPHQL_RESPONSE_TYPE && status === 200 && !hasData() ? 400 : status
}
