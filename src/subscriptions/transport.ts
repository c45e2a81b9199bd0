// The interface of a WebSocket that the subscriptions use: text messages in both directions, and one end.

/** Receives the events of a transport. */
export type TransportListener = {
  /** The connection is open, with the subprotocol. */
  onOpen(): void
  /** A whole text message has arrived. */
  onMessage(text: string): void
  /**
   * The connection has ended or could not be made. Called once, as the last call.
   * @param code the close code (RFC 6455, section 7.4); 1006 without a close frame
   * @param fault what went wrong, for an operator; undefined if the peer simply closed
   */
  onClose(code: number, fault?: string): void
}

/** A connection, open or being made. */
export type Transport = {
  /** Sends a text message; drops it if the connection is not open. */
  send(text: string): void
  /** Closes with a close frame; `onClose` is still called. */
  close(code: number): void
  /** Destroys the connection at once. */
  terminate(): void
}

/** Starts connecting; no method of the listener is called before this returns. */
export type OpenTransport = (listener: TransportListener) => Transport
