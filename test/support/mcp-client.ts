// The tools of a gateway by the official client, and by bare messages.
import { Client } from '@modelcontextprotocol/sdk/client'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Test } from 'tap'
import { postJson } from './post-json.ts'

/** Connects the client for one test, with which it closes. */
export async function connect(t: Test, url: string, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }))
  t.teardown(() => client.close())
  return client
}

export const postMessage = (url: string, message: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  postJson(`${url}/mcp`, message, { accept: 'application/json, text/event-stream', ...headers }, signal)
