// The documentation is built on the first request for it, and only once.
import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import { codeOf, type GatewayOptions, gatewayFor } from '../../support/gateway.ts'
import { watchLog } from '../../support/watch-log.ts'

/** The service with its pages, and its log. */
async function startWithPages(t: Test, options: GatewayOptions = {}) {
  const { logger, lines } = watchLog()
  const gateway = await gatewayFor(t, { ...options, settings: { DOCS_ENABLED: 'true', ...options.settings }, logger })
  return { ...gateway, lines }
}

/** The loaded files of packages that only the documentation needs; tap loads others itself. */
const loadedOfDocumentation = () =>
  Object.keys(createRequire(import.meta.url).cache).filter(path => /node_modules.@fastify.(swagger|static|send)/.test(path))

/** Reads an answer to its end, so that its connection is free again. */
async function read(url: string, method = 'GET'): Promise<Response> {
  const answer = await fetch(url, { method })
  await answer.clone().arrayBuffer()
  return answer
}

t.test('no part of it is loaded before the first request', async t => {
  const { url, post } = await startWithPages(t)
  for (const path of ['/', '/graphiql', '/operations', '/health/ready', '/documentation/none']) await read(url + path)
  t.equal((await post({ query: '{ a }' })).status, 200)
  t.strictSame(loadedOfDocumentation(), [])
  t.equal((await read(`${url}/documentation`, 'POST')).status, 405)
  t.strictSame(loadedOfDocumentation(), [], 'a wrong method asks for nothing')
  t.equal((await read(`${url}/documentation/json`)).status, 200)
  t.not(loadedOfDocumentation().length, 0)
})

t.test('simultaneous first requests build it once', async t => {
  const { url, app } = await startWithPages(t)
  let made = 0
  const create = app.createDocumentInstance
  app.createDocumentInstance = () => {
    made += 1
    return create()
  }
  const paths = ['', '/', '/json', '/yaml', '/static/swagger-ui.css']
  const answers = await Promise.all([...paths, ...paths].map(path => read(`${url}/documentation${path}`)))
  for (const { status } of answers) t.equal(status, 200)
  t.equal(made, 1)
})

t.test('if building it fails, the log says why, and the next request tries again', async t => {
  const { url, app, lines } = await startWithPages(t)
  const create = app.createDocumentInstance
  app.createDocumentInstance = async () => {
    throw new Error('disk on fire')
  }
  const failed = await Promise.all(['', '/json'].map(path => read(`${url}/documentation${path}`)))
  for (const answer of failed) {
    t.equal(answer.status, 500)
    t.match(answer.headers.get('content-security-policy'), /default-src 'self'/)
    t.equal(await codeOf(answer), 'INTERNAL_ERROR')
  }
  t.equal(lines.filter(line => line.includes('request failed') && line.includes('disk on fire')).length, 2)
  app.createDocumentInstance = create
  t.equal((await read(`${url}/documentation`)).status, 200)
})

t.test('every path of @fastify/swagger-ui answers, only to GET and HEAD', async t => {
  const { url, app } = await startWithPages(t)
  const instance = await app.createDocumentInstance()
  const urls = new Set<string>()
  instance.addHook('onRoute', route => void urls.add(route.url))
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  await instance.register(swaggerUi, { theme: { css: [{ filename: 'gateway.css', content: '' }] } })
  t.ok(urls.size > 5)
  for (const each of urls) {
    const address = url + each.replace('*', 'swagger-ui.css')
    t.ok(app.hasRoute({ method: 'GET', url: each }), each)
    const [got, head] = await Promise.all(['GET', 'HEAD'].map(method => read(address, method)))
    t.equal(got?.status, 200, each)
    t.equal(head?.status, 200, each)
    t.equal(head?.headers.get('content-type'), got?.headers.get('content-type'), each)
    if (each.endsWith('*')) continue
    const refused = await read(address, 'POST')
    t.equal(refused.status, 405, each)
    t.equal(refused.headers.get('allow'), 'GET, HEAD', each)
  }
})

t.test('a missing file is NOT_FOUND, as on other routes', async t => {
  const { url } = await startWithPages(t)
  const answer = await read(`${url}/documentation/static/none.css`)
  t.equal(answer.status, 404)
  t.equal(await codeOf(answer), 'NOT_FOUND')
})
