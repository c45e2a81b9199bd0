// One graphql-transport-ws connection to Hasura with any number of subscriptions, from `connection_init` to the end.
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { OpenTransport, Transport } from './transport.ts'
import { completeMessage, idAtHead, PING, PONG, readMessage, subscribeMessage, type WireMessage } from './wire-message.ts'

/** Time limit for connecting, up to Hasura's `connection_ack`, in ms. */
export const CONNECT_MAX_MS = 10_000
/** How often Hasura is pinged, in ms. */
const PING_INTERVAL_MS = 5_000
/** A peer that has been silent for this long, in ms, is dead. This is checked at each ping, so it is noticed within 25 s. */
const SILENCE_MAX_MS = 20_000
/** The largest answer, in characters; a larger one ends its own subscription and leaves the others alone. */
const ANSWER_MAX_LENGTH = 16 * 1024 * 1024

/** Close codes of the protocol (graphql-ws, PROTOCOL.md) and of RFC 6455. */
const NORMAL = 1000
const BROKEN = 1006
const BAD_MESSAGE = 4400

/** Receives the events of one subscription. */
export type AnswerListener = {
  /** The text of an answer. */
  onNext(payload: string): void
  /** Hasura ends the subscription with errors, the text of a JSON array. */
  onError(errors: string): void
  /** The answer cannot be passed on. */
  onFault(error: GatewayError): void
  onComplete(): void
}

/** A subscription on one connection. */
export type UpstreamSubscription = {
  readonly connection: HasuraConnection
  /** Ends the subscription; no answer is delivered after this. */
  end(): void
}

/** Options of {@link HasuraConnection}. */
type HasuraConnectionOptions = {
  open: OpenTransport
  /** The message `connection_init`. */
  init: string
  clock: Clock
  /** Called when Hasura has accepted the token. */
  onReady(): void
  /** Called once when the connection has ended or could not be made, unless `close()` ended it. */
  onClosed(code: number, fault?: string): void
  /** Called when the last subscription has ended. */
  onIdle(): void
}

/** A connection; the constructor starts connecting. */
export class HasuraConnection {
  readonly #options: HasuraConnectionOptions
  readonly #transport: Transport
  readonly #listeners = new Map<string, AnswerListener>()
  #state: 'opening' | 'ready' | 'closed' = 'opening'
  #lastId = 0
  #heardAtMs: number
  #cancelTimer: () => void

  constructor(options: HasuraConnectionOptions) {
    this.#options = options
    const { clock, init } = options
    this.#heardAtMs = clock.nowMs()
    this.#cancelTimer = clock.setTimer(() => this.#fail('Hasura sent no connection_ack in time'), CONNECT_MAX_MS)
    this.#transport = options.open({
      onOpen: () => this.#transport.send(init),
      onMessage: text => this.#onMessage(text),
      onClose: (code, fault) => this.#onClose(code, fault)
    })
  }

  get isReady(): boolean {
    return this.#state === 'ready'
  }

  get isIdle(): boolean {
    return this.#listeners.size === 0
  }

  /** Starts a subscription; the connection must be ready. */
  subscribe(payload: string, listener: AnswerListener): UpstreamSubscription {
    this.#lastId += 1
    const id = String(this.#lastId)
    this.#listeners.set(id, listener)
    this.#transport.send(subscribeMessage(id, payload))
    return { connection: this, end: () => this.#unsubscribe(id) }
  }

  /** Closes the connection; no listener is called. */
  close(): void {
    if (this.#state === 'closed') return
    this.#finish()
    this.#transport.close(NORMAL)
  }

  #unsubscribe(id: string): void {
    if (!this.#listeners.has(id)) return
    if (this.#state === 'ready') this.#transport.send(completeMessage(id))
    this.#forget(id)
  }

  #forget(id: string): void {
    if (this.#listeners.delete(id) && this.isIdle && this.#state === 'ready') this.#options.onIdle()
  }

  #onMessage(text: string): void {
    if (this.#state === 'closed') return
    this.#heardAtMs = this.#options.clock.nowMs()
    if (text.length > ANSWER_MAX_LENGTH) {
      this.#onUnreadable(text, `was larger than ${ANSWER_MAX_LENGTH / 1024 / 1024} MiB`)
      return
    }
    let message: WireMessage | undefined
    try {
      message = readMessage(text)
    } catch {
      this.#onUnreadable(text, 'was nested too deeply')
      return
    }
    this.#onRead(message)
  }

  #onRead(message: WireMessage | undefined): void {
    if (message === undefined) this.#fail('received a message that does not follow graphql-transport-ws', BAD_MESSAGE)
    else if (message.type === 'ping') this.#transport.send(PONG)
    else if (message.type === 'connection_ack') this.#onAck()
    else if (message.id !== undefined) this.#onAnswer(message.id, message)
  }

  #onAck(): void {
    if (this.#state !== 'opening') return
    this.#state = 'ready'
    this.#cancelTimer()
    this.#watch()
    this.#options.onReady()
  }

  #onAnswer(id: string, { type, payload }: WireMessage): void {
    const listener = this.#listeners.get(id)
    if (type === 'next' && payload !== undefined) listener?.onNext(payload)
    if (type !== 'error' && type !== 'complete') return
    this.#forget(id)
    if (type === 'error') listener?.onError(payload ?? '[]')
    else listener?.onComplete()
  }

  /** Ends only the affected subscription if its id can be read, else the whole connection. */
  #onUnreadable(text: string, reason: string): void {
    const id = idAtHead(text)
    const listener = this.#listeners.get(id ?? '')
    if (id === undefined) this.#fail(`received a message that ${reason}`)
    else this.#unsubscribe(id)
    listener?.onFault(new GatewayError('UPSTREAM_INVALID_RESPONSE', { message: `An answer from Hasura ${reason}.` }))
  }

  /** Pings the peer and detects a dead one, which TCP alone may take a quarter of an hour to notice. */
  #watch(): void {
    const { clock } = this.#options
    this.#cancelTimer = clock.setTimer(() => {
      if (clock.nowMs() - this.#heardAtMs >= SILENCE_MAX_MS) this.#fail('Hasura has stopped responding')
      else {
        this.#transport.send(PING)
        this.#watch()
      }
    }, PING_INTERVAL_MS)
  }

  #fail(fault: string, code?: number): void {
    if (this.#state === 'closed') return
    this.#finish()
    if (code === undefined) this.#transport.terminate()
    else this.#transport.close(code)
    this.#options.onClosed(BROKEN, fault)
  }

  #onClose(code: number, fault?: string): void {
    if (this.#state === 'closed') return
    this.#finish()
    this.#options.onClosed(code, fault)
  }

  #finish(): void {
    this.#state = 'closed'
    this.#cancelTimer()
    this.#listeners.clear()
  }
}
