// Prevents pages of other sites from running operations through a visitor's browser.
import type { onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'

/** The values of `Sec-Fetch-Site` for a request that another site's page makes (Fetch Metadata Request Headers, "Sec-Fetch-Site"). */
const OTHER_SITES = new Set(['cross-site', 'same-site'])

/**
 * Creates a hook that refuses requests that a browser marks as another site's, unless their `Origin` is listed. A link, an image or a form
 * has no listed origin, so it never passes. Callers other than browsers do not send the mark.
 * @throws {GatewayError} `CROSS_SITE_REQUEST`
 */
function createCrossSiteCheck(origins: ReadonlySet<string>): onRequestHookHandler {
  return ({ headers }, _, done) => {
    const isForeign = OTHER_SITES.has(String(headers['sec-fetch-site']))
    done(isForeign && !origins.has(headers.origin ?? '') ? new GatewayError('CROSS_SITE_REQUEST') : undefined)
  }
}

const JSON_TYPE = /^application\/json\s*(;|$)/i

/**
 * Refuses every POST without a JSON content type, even with an empty body: a page may send some other types, or none, to any site without
 * a preflight (Fetch standard, "CORS-safelisted request-header").
 * @throws {GatewayError} `UNSUPPORTED_MEDIA_TYPE`
 */
const requireJson: onRequestHookHandler = ({ method, headers }, _, done) =>
  done(method === 'POST' && !JSON_TYPE.test(headers['content-type'] ?? '') ? new GatewayError('UNSUPPORTED_MEDIA_TYPE') : undefined)

export default fp(
  async app => {
    app.addHook('onRequest', createCrossSiteCheck(app.config.CORS_ORIGINS))
    app.addHook('preParsing', (request, reply, payload, done) => requireJson.call(app, request, reply, error => done(error, payload)))
  },
  { name: 'browsers', dependencies: ['errors'] }
)
