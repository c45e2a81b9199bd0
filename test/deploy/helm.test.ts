// With its default values, the Helm chart renders what deploy/kubernetes contains.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { SettingsSchema } from '../../src/settings.ts'
import { parseProjectFile, readProjectFile } from '../support/deploy-files.ts'

const CHART = 'deploy/helm'
const NAME = 'cognito-hasura-gateway'
const FOLDER = fileURLToPath(new URL(`../../${CHART}`, import.meta.url))
const hasHelm = spawnSync('helm', ['version']).status === 0

type Values = { settings: Record<string, string> }
const values = parseProjectFile<Values>(`${CHART}/values.yaml`)
const isValid = new Ajv({ strict: false }).compile(parseProjectFile(`${CHART}/values.schema.json`))

t.test('the schema refuses invalid values', async t => {
  const without = (name: string) => Object.fromEntries(Object.entries(values.settings).filter(([key]) => key !== name))
  t.notOk(isValid({ ...values, settings: without('GRAPHQL_ENDPOINT') }), 'a setting that is required is missing')
  t.notOk(isValid({ ...values, settings: { ...values.settings, PORT: '8080' } }), 'the port is fixed')
  t.notOk(
    isValid({ ...values, settings: { ...values.settings, AWS_COGNITO_APP_CLIENT_SECRET: 's' } }),
    'a secret would stand in a ConfigMap'
  )
  t.notOk(isValid({ ...values, settings: { ...values.settings, DOCS_ENABLED: false } }), 'a setting is a string')
  t.notOk(isValid({ ...values, replicas: 2 }), 'a value that the chart does not know')
})

t.test('the default values fit the schema, and their settings are known', async t => {
  t.ok(isValid(values), JSON.stringify(isValid.errors))
  for (const name of Object.keys(values.settings)) t.ok(name in SettingsSchema.properties, name)
})

t.test('the chart has the version of the project', async t => {
  const { version } = parseProjectFile<{ version: string }>('package.json')
  t.match(parseProjectFile(`${CHART}/Chart.yaml`), { name: NAME, version, appVersion: version })
})

type Manifest = { kind: string; metadata: { labels?: object }; spec?: { template?: { metadata: object } }; data?: object }

/** Without what the chart adds on purpose: labels of the release, and the checksum that rolls the pods when settings change. */
function comparable(manifest: Manifest): unknown {
  const text = JSON.stringify(manifest, (key, value) =>
    key === 'annotations' || key === 'labels' || key === 'namespace' ? undefined : value
  )
  return JSON.parse(text.replaceAll(`,"app.kubernetes.io/instance":"${NAME}"`, ''))
}

function render(...options: string[]): Manifest[] {
  const { status, stdout, stderr } = spawnSync('helm', ['template', NAME, FOLDER, '--kube-version', '1.30.0', ...options], {
    encoding: 'utf8'
  })
  if (status !== 0) throw new Error(stderr)
  return parseAllDocuments(stdout).flatMap(document => (document.contents === null ? [] : (document.toJS() as Manifest)))
}

t.test('it renders the plain manifests', { skip: !hasHelm && 'helm is not on this machine' }, async t => {
  const rendered = new Map(render('--set', 'serviceMonitor.enabled=true').map(manifest => [manifest.kind, manifest]))
  const plain = readdirSync(new URL('../../deploy/kubernetes', import.meta.url))
    .filter(file => file.endsWith('.yaml') && !/kustomization|prometheus-rule/.test(file))
    .map(file => parseProjectFile<Manifest>(`deploy/kubernetes/${file}`))
  const { version } = parseProjectFile<{ version: string }>('package.json')
  for (const manifest of plain) {
    const expected = JSON.stringify(comparable(manifest))
      .replace(`"image":"${NAME}"`, `"image":"registry.example.com/${NAME}:${version}"`)
      .replace(/,"items":\[\{"key":"cognito-client-secret".*?\]/, '')
    t.same(comparable(rendered.get(manifest.kind) ?? manifest), JSON.parse(expected), manifest.kind)
    rendered.delete(manifest.kind)
  }
  t.same([...rendered.keys()], ['ConfigMap'], 'beside them the settings, which kustomize makes of a file')
})

t.test('its settings are those of the plain manifests', { skip: !hasHelm && 'helm is not on this machine' }, async t => {
  const lines = readProjectFile('deploy/kubernetes/settings.env').trim().split('\n')
  const [settings] = render('--show-only', 'templates/settings.yaml')
  t.same(settings?.data, Object.fromEntries(lines.map(line => line.split(/=(.*)/s).slice(0, 2))))
})

t.test('optional parts can be turned off or added', { skip: !hasHelm && 'helm is not on this machine' }, async t => {
  const kinds = render('--set', 'networkPolicy.enabled=false').map(({ kind }) => kind)
  t.notOk(kinds.includes('NetworkPolicy') || kinds.includes('ServiceMonitor'))
  const [deployment] = render('--set', 'operationsConfigMap=operations', '--show-only', 'templates/deployment.yaml')
  t.match(JSON.stringify(deployment), /"mountPath":"\/app\/operations".*"configMap":\{"name":"operations","optional":true\}/)
  t.throws(() => render('--set', 'settings.PORT=8080'))
})
