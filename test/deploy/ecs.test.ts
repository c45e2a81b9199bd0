// deploy/ecs/task-definition.json agrees with the code on ports, health and settings.
import t from 'tap'
import { SettingsSchema } from '../../src/settings.ts'
import { parseProjectFile, readProjectFile, settingsInContainer } from '../support/deploy-files.ts'

type Pair = { name: string; value: string }
type Container = {
  image: string
  environment: Pair[]
  secrets: { name: string; valueFrom: string }[]
  portMappings: { containerPort: number }[]
  stopTimeout: number
}
const [container] = parseProjectFile<{ containerDefinitions: [Container] }>('deploy/ecs/task-definition.json').containerDefinitions
const environment = Object.fromEntries(container.environment.map(({ name, value }) => [name, value]))

t.test('it contains no secret; every one comes from Secrets Manager', async t => {
  t.notMatch(Object.keys(environment).join(), /SECRET/)
  for (const { name, valueFrom } of container.secrets) t.match(valueFrom, /^arn:aws:secretsmanager:/, name)
})

t.test('its settings are known, and the service would start with them', async t => {
  const secrets = Object.fromEntries(container.secrets.map(({ name }) => [name, 'a secret']))
  for (const name of Object.keys({ ...environment, ...secrets })) t.ok(name in SettingsSchema.properties, name)
  await t.resolves(settingsInContainer({ ...environment, ...secrets }))
})

t.test('ports, health check, user and version are those of the image', async t => {
  const { PORT, METRICS_PORT } = SettingsSchema.properties
  t.strictSame(
    container.portMappings.map(({ containerPort }) => containerPort),
    [PORT.default, METRICS_PORT.default]
  )
  const dockerfile = readProjectFile('Dockerfile')
  t.match(container, { user: '1000', readonlyRootFilesystem: true, healthCheck: { command: ['CMD', 'node', 'src/healthcheck.js'] } })
  t.match(dockerfile, 'CMD ["node", "src/healthcheck.js"]')
  t.match(dockerfile, /^USER 1000$/m)
  const { version } = parseProjectFile<{ version: string }>('package.json')
  t.ok(container.image.endsWith(`:${version}`))
})

t.test('ECS waits longer than the grace period', async t => {
  t.ok(container.stopTimeout * 1000 > Number(environment.SHUTDOWN_GRACE_MS))
})
