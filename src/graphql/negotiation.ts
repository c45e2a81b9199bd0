// Media types of GraphQL over HTTP, and the status that goes with them.
import Negotiator from 'negotiator'

/** The legacy type, with which the status is Hasura's own. */
export const JSON_TYPE = 'application/json'
/** The type of the specification, with which the status tells whether the request was executed. */
export const GRAPHQL_RESPONSE_TYPE = 'application/graphql-response+json'
/** One of the two types that an answer can have. */
export type ResponseType = typeof JSON_TYPE | typeof GRAPHQL_RESPONSE_TYPE

/** The longest header that is negotiated with, in characters: browsers send less than 200, and 15,000 would cost 7 ms. */
export const HEADER_LOOKED_AT_MAX = 1_000

// Negotiator takes a parameter such as charset for part of the type, so both forms are on offer.
const OFFER = [JSON_TYPE, `${JSON_TYPE};charset=utf-8`, GRAPHQL_RESPONSE_TYPE, `${GRAPHQL_RESPONSE_TYPE};charset=utf-8`]

/**
 * Returns the type to answer with: JSON where any type will do or none is named; undefined where neither is accepted
 * (GraphQL over HTTP, "Accept"; RFC 9110, section 12.5.1). A header longer than {@link HEADER_LOOKED_AT_MAX} is disregarded,
 * as the RFC allows: JSON is what nearly every caller reads.
 */
export function negotiateType(accept: string | undefined): ResponseType | undefined {
  if (!accept || accept === '*/*' || accept === JSON_TYPE || accept.length > HEADER_LOOKED_AT_MAX) return JSON_TYPE
  const chosen = new Negotiator({ headers: { accept } }).mediaType(OFFER)
  if (!chosen) return undefined
  return chosen.startsWith(GRAPHQL_RESPONSE_TYPE) ? GRAPHQL_RESPONSE_TYPE : JSON_TYPE
}

/** The status of an answer: Hasura's own, but with the type of the specification 400 instead of 200 where nothing was executed. */
export function statusOf(type: ResponseType, status: number, hasData: () => boolean): number {
  return type === GRAPHQL_RESPONSE_TYPE && status === 200 && !hasData() ? 400 : status
}
