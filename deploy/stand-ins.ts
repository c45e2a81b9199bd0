// Runs the sandbox's stand-ins without the service, for containers, until SIGTERM: `node deploy/stand-ins.ts cognito [hasura]`.
import { once } from 'node:events'
import { startCognito } from '../sandbox/cognito.ts'
import { startHasura } from '../sandbox/hasura.ts'
import { readSettings, SANDBOX_CLIENT } from '../sandbox/settings.ts'

const { cognitoPort, hasuraPort, tokenLifetimeSeconds } = readSettings(process.env)
// The issuer contains the host, so this must be the name under which others reach this machine or container.
const host = process.env.STAND_IN_HOST || '127.0.0.1'

const cognito = await startCognito({ ...SANDBOX_CLIENT, host, port: cognitoPort, tokenLifetimeSeconds })
console.log(`Cognito ${cognito.url}, issuer ${cognito.issuer}`)
const hasura = process.argv.includes('hasura')
  ? await startHasura({ host, port: hasuraPort, jwksUrl: cognito.jwksUrl, issuer: cognito.issuer })
  : undefined
if (hasura) console.log(`Hasura ${hasura.url}`)

await Promise.race(['SIGTERM', 'SIGINT'].map(signal => once(process, signal)))
await Promise.all([cognito.close(), hasura?.close()])
