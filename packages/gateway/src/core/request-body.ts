import type { BodySink } from './http/body-decoder.ts';
import type { Framing } from './http/head.ts';
import type { HeaderFields } from './http/header-fields.ts';

/** Octets held while nobody takes them; then the client's socket is not read any further. */
const HELD_BYTES_MAX = 65_536;

/** What a body asks of the connection that it comes from. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Somebody wants the body now: send `100 Continue` if the client waits for it. */
  want(): void;
}

export interface RequestBody extends BodySink {
  readonly framing: Framing;
  /** The body after `replace`, or undefined when it is the client's own. */
  replacement(): Buffer | undefined;
  /**
   * The whole body, which stays to be forwarded. Undefined when it is longer than `bytesMax`; the
   * request must then be answered, since what was read of it is gone.
   */
  read(bytesMax: number): Promise<Buffer | undefined>;
  /** What `read` has kept, without waiting; undefined before. */
  whole(): Buffer | undefined;
  replace(bytes: Buffer): void;
  /**
   * `sink` sees the client's body pass by, from its first octet if nothing was dropped yet. What it is
   * given it may keep.
   */
  watch(sink: BodySink): void;
  /** Sends what is held and what follows to `sink`. After a failed try it may be called again. */
  attach(sink: BodySink): void;
  detach(): void;
  /** Whether the sink takes more at once. */
  flow(isReady: boolean): void;
  /** Everything so far is still held, so that another upstream can be given it. */
  isReplayable(): boolean;
  isEnded(): boolean;
  /** The client is gone or its framing broke: readers get undefined. */
  fail(): void;
}

export function createRequestBody(framing: Framing, source: BodySource): RequestBody {
  return new ClientBody(framing, source);
}

/**
 * A class, against rule 11: one is made for each request, and most requests have no body at all.
 */
class ClientBody implements RequestBody {
  readonly framing: Framing;
  private readonly source: BodySource;
  private kept: Buffer[] | undefined = undefined;
  private keptBytes = 0;
  private isWhole: boolean;
  private isFailed = false;
  private isKeptWhole = true;
  private isPaused = false;
  private trailers: HeaderFields | undefined = undefined;
  private sink: BodySink | undefined = undefined;
  private replaced: Buffer | undefined = undefined;
  private watchers: readonly BodySink[] | undefined = undefined;
  private reader: BodyReader | undefined = undefined;

  constructor(framing: Framing, source: BodySource) {
    this.framing = framing;
    this.source = source;
    this.isWhole = framing.kind === 'none';
  }

  replacement(): Buffer | undefined {
    return this.replaced;
  }

  whole(): Buffer | undefined {
    return this.replaced ?? (this.isWhole && this.isKeptWhole ? this.join() : undefined);
  }

  isReplayable(): boolean {
    return this.isKeptWhole;
  }

  isEnded(): boolean {
    return this.isWhole;
  }

  data(bytes: Buffer): void {
    const { watchers, sink, reader } = this;
    if (watchers !== undefined) {
      const copy = Buffer.from(bytes);
      for (const watcher of watchers) watcher.data(copy);
    }
    if (sink !== undefined) {
      if (this.isKeptWhole && this.keptBytes + bytes.length <= HELD_BYTES_MAX) this.keep(bytes);
      else if (this.isKeptWhole) this.drop();
      sink.data(bytes);
      return;
    }
    this.keep(bytes);
    if (reader !== undefined && this.keptBytes > reader.bytesMax) {
      this.drop();
      this.settle(undefined);
    } else if (reader === undefined && this.keptBytes > HELD_BYTES_MAX) this.flow(false);
  }

  end(trailers: HeaderFields | undefined): void {
    this.trailers = trailers;
    this.isWhole = true;
    this.sink?.end(trailers);
    if (this.watchers !== undefined) for (const watcher of this.watchers) watcher.end(trailers);
    if (this.reader !== undefined) this.settle(this.join());
  }

  read(bytesMax: number): Promise<Buffer | undefined> {
    if (this.replaced !== undefined) return Promise.resolve(this.replaced);
    if (this.isFailed || !this.isKeptWhole) return Promise.resolve(undefined);
    if (this.keptBytes > bytesMax) return Promise.resolve(undefined);
    if (this.isWhole) return Promise.resolve(this.join());
    this.source.want();
    return new Promise((settle) => {
      this.reader = { bytesMax, settle };
      this.flow(true);
    });
  }

  replace(bytes: Buffer): void {
    this.replaced = bytes;
  }

  watch(watcher: BodySink): void {
    for (const bytes of this.kept ?? []) watcher.data(bytes);
    if (this.isWhole) watcher.end(this.trailers);
    else this.watchers = [...(this.watchers ?? []), watcher];
  }

  attach(sink: BodySink): void {
    this.sink = sink;
    if (this.replaced !== undefined) {
      if (this.replaced.length > 0) sink.data(this.replaced);
      sink.end(undefined);
      return;
    }
    for (const bytes of this.kept ?? []) sink.data(bytes);
    if (this.keptBytes > HELD_BYTES_MAX) this.drop();
    if (this.isWhole) sink.end(this.trailers);
    else {
      this.source.want();
      this.flow(true);
    }
  }

  detach(): void {
    this.sink = undefined;
  }

  flow(isReady: boolean): void {
    if (this.isPaused !== isReady) return;
    this.isPaused = !isReady;
    if (isReady) this.source.resume();
    else this.source.pause();
  }

  fail(): void {
    this.isFailed = true;
    this.settle(undefined);
  }

  private join(): Buffer {
    const { kept = [] } = this;
    const [only] = kept;
    if (only === undefined) return Buffer.alloc(0);
    if (kept.length === 1) return only;
    const whole = Buffer.concat(kept);
    this.kept = [whole];
    return whole;
  }

  private settle(whole: Buffer | undefined): void {
    const waiting = this.reader;
    this.reader = undefined;
    waiting?.settle(whole);
  }

  private keep(bytes: Buffer): void {
    this.kept ??= [];
    this.kept.push(Buffer.from(bytes));
    this.keptBytes += bytes.length;
  }

  private drop(): void {
    this.kept = undefined;
    this.isKeptWhole = false;
  }
}

interface BodyReader {
  readonly bytesMax: number;
  settle(whole: Buffer | undefined): void;
}
