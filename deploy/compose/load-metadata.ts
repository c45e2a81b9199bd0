// Waits for Hasura to come up, then loads its metadata: `POST /v1/metadata`, replace_metadata.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const { HASURA_URL = 'http://hasura:8080', HASURA_GRAPHQL_ADMIN_SECRET = '' } = process.env
const TRIES = 60

const args: unknown = JSON.parse(readFileSync(new URL('./metadata.json', import.meta.url), 'utf8'))
const isUp = () =>
  fetch(`${HASURA_URL}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false
  )

for (let tries = 0; !(await isUp()); tries++) {
  if (tries === TRIES) throw new Error(`${HASURA_URL} did not come up within ${TRIES} tries`)
  await sleep(1_000)
}
const answer = await fetch(`${HASURA_URL}/v1/metadata`, {
  method: 'POST',
  signal: AbortSignal.timeout(30_000),
  headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': HASURA_GRAPHQL_ADMIN_SECRET },
  body: JSON.stringify({ type: 'replace_metadata', version: 2, args: { allow_inconsistent_metadata: false, metadata: args } })
})
console.log(answer.status, await answer.text())
process.exitCode = answer.ok ? 0 : 1
