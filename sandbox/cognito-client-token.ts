// `GetClientToken` of the Cognito stand-in: how the user pools API issues a machine's token (AWS JSON 1.1, no signature).
import { randomUUID, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** What the answers depend on. */
interface ClientTokenParts {
  readonly clientId: string
  readonly clientSecret: string
  /** Space-separated scopes enabled on the client. */
  readonly scopes: string
  readonly tokenLifetimeSeconds: number
  /** Signs a token with these scopes, separated by spaces. */
  issueToken(scope: string): Promise<string>
}

const TARGET = 'AWSCognitoIdentityProviderService.GetClientToken'

/** Whether a request is for the user pools API, with any action. */
export const isApiRequest = ({ method, url, headers }: IncomingMessage): boolean =>
  method === 'POST' && url === '/' && headers['x-amz-target'] !== undefined

/** Answers a request of the user pools API as Cognito does: a token, or 400 with the name of the error. */
export async function answerClientToken(request: IncomingMessage, response: ServerResponse, parts: ClientTokenParts): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() }
  try {
    if (request.headers['x-amz-target'] !== TARGET) throw new Refusal('UnknownOperationException')
    const scope = scopeOf(readInput(Buffer.concat(chunks).toString()), parts)
    const result = { AccessToken: await parts.issueToken(scope), ExpiresIn: parts.tokenLifetimeSeconds, TokenType: 'Bearer' }
    response.writeHead(200, headers).end(JSON.stringify({ ClientAuthenticationResult: result }))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    response.writeHead(400, headers).end(JSON.stringify({ __type: error.message, message: 'refused by the stand-in' }))
  }
}

/** An error of the API; its message is the name. */
class Refusal extends Error {}

interface Input {
  ClientId: string
  Secret: string
  Scopes: string[]
}

function readInput(text: string): Input {
  const { ClientId, Secret, Scopes = [], ClientMetadata = {} } = parseObject(text)
  const metadata = typeof ClientMetadata === 'object' && ClientMetadata !== null ? Object.values(ClientMetadata) : undefined
  if (!isTextList(Scopes) || !isTextList(metadata)) throw new Refusal('SerializationException')
  if (typeof ClientId !== 'string' || typeof Secret !== 'string') throw new Refusal('InvalidParameterException')
  return { ClientId, Secret, Scopes }
}

function scopeOf({ ClientId, Secret, Scopes }: Input, { clientId, clientSecret, scopes }: ClientTokenParts): string {
  if (ClientId !== clientId) throw new Refusal('ResourceNotFoundException')
  if (!isSame(Secret, clientSecret)) throw new Refusal('NotAuthorizedException')
  if (!Scopes.every(scope => scopes.split(' ').includes(scope))) throw new Refusal('InvalidParameterException')
  return Scopes.join(' ') || scopes
}

function isSame(text: string, other: string): boolean {
  const [one, two] = [Buffer.from(text), Buffer.from(other)]
  return one.length === two.length && timingSafeEqual(one, two)
}

const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every(part => typeof part === 'string')

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Cognito answers this like any other text that is not an object.
  }
  throw new Refusal('SerializationException')
}
