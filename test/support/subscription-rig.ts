// Subscriptions with a fake clock, between a Hasura in memory and tokens that the test renews.
import { GatewayError } from '../../src/errors.ts'
import type { Answer, Ending, Reader } from '../../src/subscriptions/reader.ts'
import type { ConnectionEnd } from '../../src/subscriptions/role-link.ts'
import type { SubscriptionRequest } from '../../src/subscriptions/subscription-request.ts'
import { Subscriptions } from '../../src/subscriptions/subscriptions.ts'
import { FakeClock, settle } from './fake-clock.ts'
import { MemoryHasura } from './memory-hasura.ts'

/** How long a subscription may go without success, in ms. */
export const TIMEOUT_MS = 30_000

/** A live query. */
export const LIVE: SubscriptionRequest = {
  query: 'subscription { state }',
  operationName: undefined,
  variables: undefined,
  role: undefined
}
/** A streaming subscription that can be resumed. */
export const STREAM: SubscriptionRequest = {
  ...LIVE,
  query: 'subscription { users_stream(batch_size: 3, cursor: {initial_value: {id: 0}}) { id } }'
}

/** A reader and what it has read. */
export type Reading = { reader: Reader; answers: string[]; ending: Ending | undefined; isPaused: boolean; read(): void }

/** Reads answers as they arrive, unless paused. */
function readFrom(reader: Reader): Reading {
  const reading: Reading = {
    reader,
    answers: [],
    ending: undefined,
    isPaused: false,
    read() {
      for (let item: Answer | Ending | undefined; reading.ending === undefined; ) {
        item = reader.take()
        if (item === undefined) return
        if (item.kind === 'answer') reading.answers.push(item.text)
        else reading.ending = item
      }
    }
  }
  reader.onReady = () => {
    if (!reading.isPaused) reading.read()
  }
  reading.read()
  return reading
}

/** Everything that a test of subscriptions needs. */
export function createRig({ random = 0.5, tokenLifeMs = 3_600_000 } = {}) {
  const clock = new FakeClock()
  const hasura = new MemoryHasura(clock)
  const ends: ConnectionEnd[] = []
  let count = 0
  const rig = {
    clock,
    hasura,
    ends,
    /** The current token; undefined: there is none. */
    token: undefined as string | undefined,
    refused: [] as string[],
    /** The replacement for a refused token; default: the next one. */
    replace: (): string | undefined => rig.nextToken(),
    nextToken(): string {
      count += 1
      rig.token = `token-${count}`
      hasura.tokens.set(rig.token, clock.nowMs() + tokenLifeMs)
      return rig.token
    },
    /** Renews the token, and notifies the subscriptions. */
    renew(): void {
      rig.nextToken()
      subscriptions.renew()
    }
  }
  const subscriptions = new Subscriptions({
    open: hasura.open,
    tokens: {
      getToken: async () => {
        if (rig.token === undefined) throw new GatewayError('TOKEN_UNAVAILABLE')
        return rig.token
      },
      rejectToken: async refused => {
        rig.refused.push(refused)
        return rig.token === refused ? rig.replace() : rig.token
      }
    },
    tokenHeadersFor: token => ({ Authorization: `Bearer ${token}` }),
    timeoutMs: TIMEOUT_MS,
    onConnectionEnd: end => ends.push(end),
    clock,
    random: () => random
  })
  rig.nextToken()
  /** Lets pending work proceed as far as possible, then advances the clock. */
  const advance = async (ms: number) => {
    await settle()
    await clock.advance(ms)
  }
  return {
    clock,
    hasura,
    ends,
    rig,
    subscriptions,
    advance,
    read: (request: SubscriptionRequest = LIVE) => readFrom(subscriptions.subscribe(request))
  }
}
