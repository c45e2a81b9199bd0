// The obvious first version: a Fastify handler that parses the document, calls fetch and returns the parsed response.
import Fastify from 'fastify'
import { parse } from 'graphql'

const { PORT, UPSTREAM = '', TOKEN } = process.env

const app = Fastify()
app.post('/graphql', async (request, reply) => {
  const { query, variables } = request.body as { query: string; variables: unknown }
  parse(query)
  const response = await fetch(UPSTREAM, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ query, variables })
  })
  return reply.code(response.status).send(await response.json())
})
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
