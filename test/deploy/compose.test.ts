// compose.yaml fits the service, the sandbox's Cognito and Hasura's requirements for a JWT secret.
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { startCognito } from '../../sandbox/cognito.ts'
import { SANDBOX_CLIENT } from '../../sandbox/settings.ts'
import { TABLES } from '../../sandbox/tables.ts'
import { SettingsSchema } from '../../src/settings.ts'
import { parseProjectFile, readProjectFile, settingsInContainer } from '../support/deploy-files.ts'

type Service = { environment: Record<string, string>; ports?: string[]; depends_on?: object; command?: string[]; volumes?: string[] }
const { services, secrets } = parseProjectFile<{
  services: Record<'gateway' | 'cognito' | 'hasura' | 'metadata' | 'postgres', Service>
  secrets: Record<string, { file: string }>
}>('compose.yaml')
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0

t.test('docker compose accepts the file', { skip: !hasCompose && 'docker compose is not installed' }, async t => {
  const { status, stderr } = spawnSync('docker', ['compose', '-f', 'compose.yaml', 'config', '--quiet'], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
})

t.test('the settings are known, and the service would start with them', async t => {
  const { environment } = services.gateway
  for (const name of Object.keys(environment)) t.ok(name in SettingsSchema.properties, name)
  const secretFile = secrets.cognito_client_secret?.file ?? ''
  t.equal(environment.AWS_COGNITO_APP_CLIENT_SECRET_FILE, '/run/secrets/cognito_client_secret')
  t.equal(readProjectFile(secretFile).trim(), SANDBOX_CLIENT.clientSecret)
  t.match(environment, { AWS_COGNITO_APP_CLIENT_ID: SANDBOX_CLIENT.clientId, AWS_COGNITO_SCOPES: SANDBOX_CLIENT.scopes })
  await t.resolves(settingsInContainer(environment, { AWS_COGNITO_APP_CLIENT_SECRET_FILE: secretFile }))
})

t.test('ports are published only on the loopback address', async t => {
  for (const port of Object.values(services).flatMap(({ ports = [] }) => ports)) t.match(port, /^127\.0\.0\.1:/)
})

t.test('Hasura accepts the tokens of the stand-in: issuer, keys and role', async t => {
  const text = services.hasura.environment.HASURA_GRAPHQL_JWT_SECRET ?? ''
  const { STAND_IN_HOST = '', SANDBOX_COGNITO_PORT = '' } = services.cognito.environment
  // The issuer and keys of the stand-in, with its host name instead of its address.
  const cognito = await startCognito({ ...SANDBOX_CLIENT })
  t.teardown(() => cognito.close())
  const inCompose = (url: string) => url.replace(cognito.url, `http://${STAND_IN_HOST}:${SANDBOX_COGNITO_PORT}`)
  t.equal(services.gateway.environment.AWS_COGNITO_DOMAIN, inCompose(cognito.url))
  t.strictSame(JSON.parse(text.replaceAll('$$', '$')), {
    jwk_url: inCompose(cognito.jwksUrl),
    issuer: inCompose(cognito.issuer),
    allowed_skew: 30,
    claims_map: {
      'x-hasura-allowed-roles': ['service'],
      'x-hasura-default-role': 'service',
      'x-hasura-client-id': { path: '$.client_id' }
    }
  })
  t.match(readProjectFile('compose.yaml'), inCompose(cognito.jwksUrl), 'the health check asks for the keys')
})

t.test("the tables are the sandbox's, and the role may read them", async t => {
  type Table = { table: { name: string }; select_permissions: { role: string; permission: object }[] }
  const metadata = parseProjectFile<{ sources: [{ configuration: object; tables: Table[] }] }>('deploy/compose/metadata.json')
  const [{ configuration, tables }] = metadata.sources
  t.match(configuration, { connection_info: { database_url: { from_env: 'PG_DATABASE_URL' } } })
  t.ok('PG_DATABASE_URL' in services.hasura.environment)
  t.strictSame(
    tables.map(({ table }) => table.name),
    Object.keys(TABLES)
  )
  for (const { select_permissions } of tables) t.match(select_permissions, [{ role: 'service', permission: { columns: '*', filter: {} } }])
  const sql = readProjectFile('deploy/compose/seed.sql')
  for (const [name, { columns }] of Object.entries(TABLES)) {
    const [, body = ''] = new RegExp(`create table ${name} \\(([^;]+)\\);`).exec(sql) ?? []
    t.strictSame([...body.matchAll(/^ {2}(\w+) /gm)].map(([, column]) => column).sort(), Object.keys(columns).sort(), name)
  }
})

t.test('files that the containers mount exist, and the admin secrets agree', async t => {
  const mounted = [...(services.metadata.volumes ?? []), ...(services.postgres.volumes ?? [])].map(volume => volume.split(':')[0] ?? '')
  t.strictSame(mounted, ['./deploy/compose', './deploy/compose/seed.sql'])
  t.match(services.metadata.command, ['node', '/load/load-metadata.ts'])
  t.equal(services.metadata.environment.HASURA_GRAPHQL_ADMIN_SECRET, services.hasura.environment.HASURA_GRAPHQL_ADMIN_SECRET)
  for (const path of ['deploy/compose/load-metadata.ts', 'deploy/compose/cognito.Dockerfile']) t.ok(readProjectFile(path), path)
})
