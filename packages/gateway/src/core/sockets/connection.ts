/** Addresses of a connection, as text without brackets; empty and 0 where they are not known. */
export interface Ends {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** What happens to a connection. */
export interface ConnectionListener {
  /** One that was opened from here stands: what is written goes out. */
  connected(): void;
  /** `bytes` are good until the call returns: the next read overwrites them. */
  data(bytes: Buffer): void;
  /** The peer sends no more. */
  ended(): void;
  /** All that was written has left, after `write` had answered false. */
  drained(): void;
  /** Nothing follows, whatever the cause. Called once, never within a call of the connection. */
  closed(): void;
}

/**
 * One stream of octets both ways, of whatever kind its socket is: the native ones, or Node's. A side
 * that has ended leaves the other one open. Contract: connection.test.ts.
 */
export interface Connection {
  readonly ends: Ends;
  /** Whoever hears of it from now on; reading begins with the first one. */
  listen(listener: ConnectionListener): void;
  /** Called after the listener's `closed`, whoever that is by then. */
  onClosed(callback: () => void): void;
  /**
   * Sends `text` as latin1, then `bytes`, in one piece where the kernel takes it. Both were copied or
   * sent when the call returns. False: the peer is slower than this, so write no more until `drained`.
   */
  write(text: string, bytes: Buffer): boolean;
  /** Holds back what is written, so that it leaves in one piece at `uncork`. */
  cork(): void;
  uncork(): void;
  /** Whether something that was written has not left yet. */
  isBehind(): boolean;
  pause(): void;
  resume(): void;
  /** Sends what is written, then that no more follows. */
  end(): void;
  destroy(): void;
}

export const EMPTY: Buffer = Buffer.alloc(0);
/** Octets that may wait to be sent before `write` answers false: as Node's streams have it. */
export const WAITING_BYTES_MAX = 16_384;
