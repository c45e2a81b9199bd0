// A WebSocket as this core sees it: texts in, texts out, and one end.

/** What a transport tells of itself. */
export type TransportListener = {
  /** The connection stands and speaks the subprotocol. */
  onOpen(): void
  /** A whole text message. */
  onMessage(text: string): void
  /**
   * The connection has ended, or never came about; called once, the last call.
   * @param code the close code (RFC 6455, section 7.4); 1006 where no close frame came
   * @param fault what went wrong, for an operator; undefined where the peer just closed
   */
  onClose(code: number, fault?: string): void
}

/** A connection that is being made or stands. */
export type Transport = {
  /** Sends a text message; one that can't be sent any more is dropped. */
  send(text: string): void
  /** Closes with a close frame; `onClose` is called all the same. */
  close(code: number): void
  /** Cuts the connection at once. */
  terminate(): void
}

/** Begins to connect; the listener hears nothing before this returns. */
export type OpenTransport = (listener: TransportListener) => Transport
