export type ProtocolName = 'http1' | 'redis' | 'postgresql' | 'fastcgi';

/** Whether its requests name a path that has routes, and its answers a status of HTTP. */
export function hasPaths(protocol: ProtocolName): boolean {
  return protocol === 'http1' || protocol === 'fastcgi';
}

/** Of the message that is open or has just ended in one direction, whatever the protocol. */
export interface MessageStream {
  /** Bytes on the wire, how many of them were seen, and how many are payload. */
  readonly size: number;
  readonly captured: number;
  readonly bodySize: number;
}

/**
 * How one protocol's bytes become messages. One for all connections: what it knows of a direction is
 * in the stream that it made. It tells what it finds to `Pairing`, about the current `Place`.
 */
export interface Protocol<Stream extends MessageStream = MessageStream> {
  readonly name: ProtocolName;
  /** For a direction in which requests pass, or answers; HTTP/1 finds out by itself. */
  createStream(isAsking: boolean): Stream;
  /** Takes `bytes[from, to)`, the next of the stream; keeps nothing of `bytes` itself. */
  push(stream: Stream, bytes: Uint8Array, from: number, to: number): void;
  /** `count` bytes passed whose content is not known. */
  gap(stream: Stream, count: number): void;
  /** The other side spoke since this stream's last byte: where a lost place is found again. */
  turn(stream: Stream): void;
  /** No more bytes come. */
  close(stream: Stream): void;
  /** The place is lost, as after a gap of unknown length. */
  lose(stream: Stream): void;
  /** Whether any number of messages may pass unseen now: of protocols whose requests follow each other. */
  isHidden?(stream: Stream): boolean;
}

/** Why bytes were given up until the next turn. */
export type Trouble =
  | 'not-http1'
  | 'not-redis'
  | 'not-postgresql'
  | 'not-fastcgi'
  | 'head-too-large'
  | 'chunk-framing'
  | 'gap';
