// deploy/kubernetes agrees with the code on names, ports, probes and settings.
import { readdirSync } from 'node:fs'
import { parseEnv } from 'node:util'
import t from 'tap'
import { SettingsSchema } from '../../src/settings.ts'
import { parseProjectFile, readProjectFile, settingsInContainer } from '../support/deploy-files.ts'
import { gatewayFor } from '../support/gateway.ts'

const NAME = 'cognito-hasura-gateway'
const LABELS = { 'app.kubernetes.io/name': NAME }
const FOLDER = 'deploy/kubernetes'
const read = <T>(file: string) => parseProjectFile<T>(`${FOLDER}/${file}.yaml`)

type Probe = { httpGet: { path: string; port: string } }
type Container = {
  image: string
  ports: { name: string; containerPort: number }[]
  envFrom: { configMapRef: { name: string } }[]
  startupProbe: Probe
  livenessProbe: Probe
  readinessProbe: Probe
  lifecycle: { preStop: { sleep: { seconds: number } } }
  securityContext: object
  volumeMounts: { name: string; mountPath: string }[]
}
type Pod = {
  terminationGracePeriodSeconds: number
  securityContext: object
  containers: [Container]
  volumes: { name: string; secret?: { items: { path: string }[] }; configMap?: { name: string; optional: boolean } }[]
}
type Deployment = { metadata: object; spec: { selector: object; template: { metadata: { labels: object }; spec: Pod } } }

const deployment = read<Deployment>('deployment')
const pod = deployment.spec.template.spec
const [container] = pod.containers
const environment = parseEnv(readProjectFile(`${FOLDER}/settings.env`)) as Record<string, string>
const { METRICS_PORT, PORT } = SettingsSchema.properties

t.test('kustomize uses every file, and every object has the name', async t => {
  type Kustomization = { resources: string[]; configMapGenerator: object[]; images: { name: string; newTag: string }[] }
  const { resources, configMapGenerator, images } = read<Kustomization>('kustomization')
  const files = readdirSync(new URL(`../../${FOLDER}`, import.meta.url)).filter(file => file.endsWith('.yaml'))
  t.strictSame([...resources].sort(), files.filter(file => file !== 'kustomization.yaml').sort())
  for (const file of resources) t.match(parseProjectFile(`${FOLDER}/${file}`), { metadata: { name: NAME } }, file)
  t.match(configMapGenerator, [{ name: NAME, envs: ['settings.env'] }])
  const { version } = parseProjectFile<{ version: string }>('package.json')
  t.match(images, [{ name: container.image, newTag: version }])
})

t.test('its settings are known, and the service would start with them', async t => {
  for (const name of Object.keys(environment)) t.ok(name in SettingsSchema.properties, name)
  const files = t.testdir({ secret: 's', 'callers.json': JSON.stringify({ callers: [{ name: 'web', keySha256: ['ab'.repeat(32)] }] }) })
  const mounted = { AWS_COGNITO_APP_CLIENT_SECRET_FILE: `${files}/secret`, CALLER_KEYS_FILE: `${files}/callers.json` }
  await t.resolves(settingsInContainer(environment, mounted))
  const paths = pod.volumes.flatMap(({ secret }) =>
    (secret?.items ?? []).map(({ path }) => `${container.volumeMounts[0]?.mountPath}/${path}`)
  )
  t.strictSame(
    paths.sort(),
    Object.keys(mounted)
      .map(name => environment[name])
      .sort(),
    'the files are where they are looked for'
  )
  t.strictSame(container.envFrom, [{ configMapRef: { name: NAME } }])
})

t.test('stored operations are mounted where the image looks for them; the image contains none', async t => {
  const mount = container.volumeMounts.find(({ name }) => name === 'operations')
  t.equal(mount?.mountPath, `/app/${SettingsSchema.properties.OPERATIONS_DIR.default}`)
  t.match(
    pod.volumes.find(({ name }) => name === 'operations'),
    { configMap: { optional: true } }
  )
  t.match(readProjectFile('Dockerfile'), 'WORKDIR /app')
  t.notMatch(readProjectFile('Dockerfile'), /COPY operations/)
  t.match(parseProjectFile('compose.yaml'), { services: { gateway: { volumes: [`./operations:${mount?.mountPath}:ro`] } } })
})

t.test('ports are those of the service, in every file', async t => {
  t.strictSame(container.ports, [
    { name: 'http', containerPort: PORT.default },
    { name: 'metrics', containerPort: METRICS_PORT.default }
  ])
  t.match(read('service'), { spec: { selector: LABELS, ports: [{ targetPort: 'http' }, { name: 'metrics', targetPort: 'metrics' }] } })
  t.match(read('service-monitor'), { spec: { selector: { matchLabels: LABELS }, endpoints: [{ port: 'metrics', path: '/metrics' }] } })
  const policy = read<{ spec: { podSelector: object; ingress: { ports: { port: number }[] }[] } }>('network-policy')
  t.strictSame(
    policy.spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
    [PORT.default, METRICS_PORT.default]
  )
})

t.test('the labels in each file select the pods', async t => {
  t.strictSame(deployment.spec.selector, { matchLabels: LABELS })
  t.strictSame(deployment.spec.template.metadata.labels, LABELS)
  t.match(read('network-policy'), { spec: { podSelector: { matchLabels: LABELS } } })
  t.match(read('pod-disruption-budget'), { spec: { selector: { matchLabels: LABELS } } })
  t.match(read('horizontal-pod-autoscaler'), { spec: { scaleTargetRef: { kind: 'Deployment', name: NAME } } })
})

t.test('probes use the health routes, which need no credential', async t => {
  t.equal(container.livenessProbe.httpGet.path, '/health/live')
  t.equal(container.readinessProbe.httpGet.path, '/health/ready')
  const gateway = await gatewayFor(t)
  for (const { httpGet } of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
    t.equal(httpGet.port, 'http')
    t.equal((await fetch(gateway.url + httpGet.path)).status, 200, httpGet.path)
  }
})

t.test('the pod has more time than preStop and the grace period together', async t => {
  const graceSeconds = Number(environment.SHUTDOWN_GRACE_MS) / 1000
  t.ok(pod.terminationGracePeriodSeconds > container.lifecycle.preStop.sleep.seconds + graceSeconds)
})

t.test('the container has no privileges that the service does not need', async t => {
  t.match(pod.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
  t.strictSame(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] }
  })
})
