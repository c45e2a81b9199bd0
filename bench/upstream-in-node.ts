// The upstream to use when nginx is not installed; runs as a separate process.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { SMALL_ANSWER } from './workload.ts'

const { PORT, FILES = '' } = process.env
const answers = new Map([['/v1/graphql', Buffer.from(SMALL_ANSWER)]])
for (const name of readdirSync(FILES)) answers.set(`/v1/${name}`, readFileSync(join(FILES, name)))

createServer((request, response) => {
  const answer = answers.get(request.url ?? '')
  const status = answer === undefined ? 404 : request.headers.authorization === undefined ? 401 : 200
  request.resume()
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': status === 200 ? (answer?.length ?? 0) : 0 })
  response.end(status === 200 ? answer : undefined)
}).listen(Number(PORT), '127.0.0.1')
