// Under too much load operations are turned away, in our shape.
import Fastify, { type FastifyPluginAsync } from 'fastify'
import t from 'tap'
import errors from '../../plugins/errors.ts'
import overload from '../../plugins/overload.ts'
import { startGateway } from '../support/gateway.ts'

async function stretchedApp(maxEventLoopDelayMs: number) {
  const app = Fastify()
  await app.register(errors)
  const operations: FastifyPluginAsync = async scope => {
    await scope.register(overload, { maxEventLoopDelayMs, sampleIntervalMs: 200 })
    scope.get('/operation', async () => 'done')
  }
  await app.register(operations)
  app.get('/health', async () => 'well')
  await app.ready()
  return app
}

/** Keeps the event loop busy until a request is shed, at most so many times. */
async function shedAnswer(app: Awaited<ReturnType<typeof stretchedApp>>, attempts: number) {
  for (let n = 0; n < attempts; n++) {
    const untilMs = performance.now() + 60
    while (performance.now() < untilMs);
    await new Promise(resolve => setImmediate(resolve))
    const answer = await app.inject('/operation')
    if (answer.statusCode !== 200) return answer
  }
  return undefined
}

t.test('an event loop that is late sheds operations, and nothing else', async t => {
  const app = await stretchedApp(1)
  t.teardown(() => app.close())
  const answer = await shedAnswer(app, 100)
  t.equal(answer?.statusCode, 503)
  t.equal(answer?.headers['retry-after'], '1')
  t.match(answer?.json(), { errors: [{ extensions: { code: 'OVERLOADED' } }] })
  t.equal((await app.inject('/health')).statusCode, 200)
})

t.test('a short delay sheds nothing', async t => {
  const app = await stretchedApp(60_000)
  t.teardown(() => app.close())
  t.equal(await shedAnswer(app, 3), undefined)
})

t.test('the service has it on its operations', async t => {
  const gateway = await startGateway()
  t.teardown(() => gateway.close())
  t.match(gateway.app.printPlugins(), /@fastify\/under-pressure/)
})
