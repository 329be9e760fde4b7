import { FAILED, READABLE, type SocketSet, WRITABLE } from './addon.ts';
import {
  type Connection,
  type ConnectionListener,
  type Ends,
  WAITING_BYTES_MAX,
} from './connection.ts';

/** What all native connections share. */
export interface NativeParts {
  readonly set: SocketSet;
  /** The first `size` octets of what was received; of many reads of one size it is the same object. */
  received(size: number): Buffer;
  /** What is sent is put at its start. */
  readonly output: Buffer;
  /** Whose octets are held back in `output`; undefined: nobody's. */
  corked: NativeConnection | undefined;
  forget(id: number): void;
}

/** Octets worth copying into the output rather than sent from where they are. */
const COPIED_BYTES_MAX = 16_384;
const EAGAIN = -11;

type State = 'connecting' | 'open' | 'closed';

/**
 * One TCP connection over the addon. A class, against rule 11: one method a socket operation, and
 * state that several of them share, is what a prototype is for on the hottest path there is.
 */
export class NativeConnection implements Connection {
  private readonly id: number;
  private readonly parts: NativeParts;
  private listener: ConnectionListener | undefined = undefined;
  private whenClosed: (() => void)[] = [];
  private state: State;
  private watched: number;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private corkedBytes = 0;
  private isCorked = false;
  private isPaused = true;
  private wantsDrain = false;
  private isEnding = false;
  private hasEnded = false;

  /** `id` below 0 is why there is no socket: the connection is then closed from the start. */
  constructor(id: number, parts: NativeParts, isConnecting: boolean) {
    this.id = id;
    this.parts = parts;
    this.state = isConnecting ? 'connecting' : 'open';
    this.watched = isConnecting ? WRITABLE : READABLE;
    if (id < 0) this.destroy();
  }

  get ends(): Ends {
    const [localAddress, localPort, remoteAddress, remotePort] = this.parts.set.ends(this.id);
    return { localAddress, localPort, remoteAddress, remotePort };
  }

  listen(listener: ConnectionListener): void {
    const isFirst = this.listener === undefined;
    this.listener = listener;
    if (isFirst) this.resume();
  }

  onClosed(callback: () => void): void {
    this.whenClosed.push(callback);
  }

  /** What the kernel has told of the socket. */
  ready(kinds: number): void {
    if (this.state === 'connecting') {
      this.finishConnecting();
      return;
    }
    if ((kinds & FAILED) !== 0) this.watched = 0;
    if ((kinds & WRITABLE) !== 0) this.sendWaiting();
    if ((kinds & READABLE) !== 0) {
      if (this.isPaused || this.hasEnded) this.watch();
      else this.receive();
    }
    if ((kinds & FAILED) !== 0) this.failed();
  }

  write(text: string, bytes: Buffer): boolean {
    if (this.state === 'closed' || this.isEnding) return true;
    const { parts } = this;
    if (this.waitingBytes > 0 || this.state === 'connecting') return this.keep(text, bytes, 0);
    if (parts.corked !== undefined && parts.corked !== this) parts.corked.spill();
    const { output } = parts;
    const size = text.length + bytes.length;
    if (this.corkedBytes + size >= output.length) this.spill();
    if (this.waitingBytes > 0) return this.keep(text, bytes, 0);
    const isDirect = text === '' && this.corkedBytes === 0 && bytes.length > COPIED_BYTES_MAX;
    if (isDirect || size >= output.length) {
      const sent = size >= output.length && text !== '' ? 0 : parts.set.sendFrom(this.id, bytes);
      return this.keepRest(text, bytes, sent);
    }
    if (bytes.length > 0) output.set(bytes, this.corkedBytes + text.length);
    if (!this.isCorked)
      return this.keepRest(text, bytes, parts.set.send(this.id, text, text.length, size));
    if (text !== '') output.write(text, this.corkedBytes, 'latin1');
    this.corkedBytes += size;
    parts.corked = this;
    return true;
  }

  cork(): void {
    this.isCorked = true;
  }

  uncork(): void {
    this.isCorked = false;
    this.spill();
  }

  isBehind(): boolean {
    return this.waitingBytes > 0;
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.watch();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.watch();
  }

  end(): void {
    if (this.isEnding || this.state === 'closed') return;
    this.spill();
    this.isEnding = true;
    if (this.waitingBytes === 0 && this.state === 'open') this.sendEnd();
  }

  destroy(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    if (this.parts.corked === this) this.parts.corked = undefined;
    this.waiting = [];
    this.waitingBytes = 0;
    if (this.id >= 0) {
      this.parts.set.closeSocket(this.id);
      this.parts.forget(this.id);
    }
    process.nextTick(() => {
      this.listener?.closed();
      for (const callback of this.whenClosed) callback();
    });
  }

  /** Sends what is held back. */
  private spill(): void {
    const size = this.corkedBytes;
    if (size === 0) return;
    this.corkedBytes = 0;
    const { parts } = this;
    parts.corked = undefined;
    this.keepRest('', parts.output.subarray(0, size), parts.set.send(this.id, '', 0, size));
  }

  /** `sent` of the octets are gone, or an error: the rest waits. */
  private keepRest(text: string, bytes: Buffer, sent: number): boolean {
    if (sent === text.length + bytes.length) return true;
    if (sent < 0 && sent !== EAGAIN) {
      this.destroy();
      return true;
    }
    return this.keep(text, bytes, Math.max(0, sent));
  }

  private keep(text: string, bytes: Buffer, from: number): boolean {
    if (from < text.length) this.waiting.push(Buffer.from(text.slice(from), 'latin1'));
    const rest = bytes.subarray(Math.max(0, from - text.length));
    if (rest.length > 0) this.waiting.push(Buffer.from(rest));
    this.waitingBytes += text.length + bytes.length - from;
    if (this.state === 'open') this.watch();
    if (this.waitingBytes < WAITING_BYTES_MAX) return true;
    this.wantsDrain = true;
    return false;
  }

  private sendWaiting(): void {
    const { set } = this.parts;
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      const sent = set.sendFrom(this.id, first);
      if (sent === EAGAIN) return;
      if (sent < 0) {
        this.destroy();
        return;
      }
      this.waitingBytes -= sent;
      if (sent < first.length) this.waiting[0] = first.subarray(sent);
      else this.waiting.shift();
    }
    if (this.isEnding) this.sendEnd();
    this.watch();
    if (!this.wantsDrain) return;
    this.wantsDrain = false;
    this.listener?.drained();
  }

  private sendEnd(): void {
    if (this.hasEnded) this.destroy();
    else this.parts.set.shutdown(this.id);
  }

  /** Whether there may be more to read. */
  private receive(): boolean {
    const { parts } = this;
    const size = parts.set.receive(this.id);
    if (size > 0) this.listener?.data(parts.received(size));
    else if (size === 0) this.takeEnd();
    else if (size !== EAGAIN) this.destroy();
    return size > 0;
  }

  private takeEnd(): void {
    this.hasEnded = true;
    this.watch();
    this.listener?.ended();
    if (this.isEnding && this.waitingBytes === 0) this.destroy();
  }

  /** An error is pending: what came before it is read first, unless nobody wants it now. */
  private failed(): void {
    while (this.state === 'open' && !this.isPaused && !this.hasEnded && this.receive());
    if (this.state !== 'open') return;
    if (this.hasEnded) this.destroy();
    else if (this.waitingBytes > 0) this.sendWaiting();
    else this.watch();
  }

  private finishConnecting(): void {
    if (this.parts.set.failure(this.id) !== 0) {
      this.destroy();
      return;
    }
    this.state = 'open';
    this.sendWaiting();
    this.watch();
    this.listener?.connected();
  }

  private watch(): void {
    if (this.state !== 'open') return;
    const reads = this.isPaused || this.hasEnded ? 0 : READABLE;
    const kinds = reads | (this.waitingBytes > 0 ? WRITABLE : 0);
    if (kinds === this.watched) return;
    this.watched = kinds;
    this.parts.set.watch(this.id, kinds);
  }
}
