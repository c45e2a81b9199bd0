// Which documents of a caller's own may run: any, or those alone that are stored.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { GatewayError } from '../src/errors.ts'
import type { CheckedDocument } from '../src/graphql/document.ts'

/**
 * Makes what decides which document runs: the caller's own, or the stored one that it equals but for layout and comments, where
 * `GRAPHQL_ADHOC` or the caller's rights allow no other.
 * @throws {GatewayError} `OPERATION_NOT_ALLOWED`, `OPERATION_UNAVAILABLE`
 */
export function createAdhocGate({ config, operations }: FastifyInstance) {
  const isOpen = config.GRAPHQL_ADHOC
  return (request: FastifyRequest, document: CheckedDocument): CheckedDocument => {
    if (isOpen && request.caller?.adhoc !== false) return document
    const stored = operations.find(document)
    if (stored === undefined)
      throw new GatewayError('OPERATION_NOT_ALLOWED', { message: 'Stored operations alone may run: see /operations.' })
    operations.assertAvailable(stored)
    return stored.document
  }
}
