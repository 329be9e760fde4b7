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
  /** `sink` sees the client's body pass by, from its first octet if nothing was dropped yet. */
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
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let isWhole = framing.kind === 'none';
  let isEnded = isWhole;
  let isFailed = false;
  let isReplayable = true;
  let isPaused = false;
  let trailers: HeaderFields | undefined;
  let sink: BodySink | undefined;
  let replaced: Buffer | undefined;
  let watchers: BodySink[] | undefined;
  let reader: { readonly bytesMax: number; settle(whole: Buffer | undefined): void } | undefined;

  function pause(): void {
    if (isPaused) return;
    isPaused = true;
    source.pause();
  }

  function resume(): void {
    if (!isPaused) return;
    isPaused = false;
    source.resume();
  }

  function join(): Buffer {
    const [only] = kept;
    if (only === undefined) return Buffer.alloc(0);
    if (kept.length === 1) return only;
    const whole = Buffer.concat(kept);
    kept = [whole];
    return whole;
  }

  function settle(whole: Buffer | undefined): void {
    const waiting = reader;
    reader = undefined;
    waiting?.settle(whole);
  }

  function keep(bytes: Buffer): void {
    kept.push(bytes);
    keptBytes += bytes.length;
  }

  function drop(): void {
    kept = [];
    isReplayable = false;
  }

  return {
    framing,
    replacement: () => replaced,
    whole: () => replaced ?? (isWhole && isReplayable ? join() : undefined),
    isReplayable: () => isReplayable,
    isEnded: () => isEnded,
    data(bytes) {
      if (watchers !== undefined) for (const watcher of watchers) watcher.data(bytes);
      if (sink !== undefined) {
        if (isReplayable && keptBytes + bytes.length <= HELD_BYTES_MAX) keep(bytes);
        else if (isReplayable) drop();
        sink.data(bytes);
        return;
      }
      keep(bytes);
      if (reader !== undefined && keptBytes > reader.bytesMax) {
        drop();
        settle(undefined);
      } else if (reader === undefined && keptBytes > HELD_BYTES_MAX) pause();
    },
    end(given) {
      trailers = given;
      isEnded = true;
      isWhole = true;
      sink?.end(trailers);
      if (watchers !== undefined) for (const watcher of watchers) watcher.end(trailers);
      if (reader !== undefined) settle(join());
    },
    read(bytesMax) {
      if (replaced !== undefined) return Promise.resolve(replaced);
      if (isFailed || !isReplayable) return Promise.resolve(undefined);
      if (keptBytes > bytesMax) return Promise.resolve(undefined);
      if (isWhole) return Promise.resolve(join());
      source.want();
      return new Promise((resolve) => {
        reader = { bytesMax, settle: resolve };
        resume();
      });
    },
    replace(bytes) {
      replaced = bytes;
    },
    watch(watcher) {
      for (const bytes of kept) watcher.data(bytes);
      if (isEnded) watcher.end(trailers);
      else watchers = [...(watchers ?? []), watcher];
    },
    attach(target) {
      sink = target;
      if (replaced !== undefined) {
        if (replaced.length > 0) target.data(replaced);
        target.end(undefined);
        return;
      }
      for (const bytes of kept) target.data(bytes);
      if (keptBytes > HELD_BYTES_MAX) drop();
      if (isWhole) target.end(trailers);
      else {
        source.want();
        resume();
      }
    },
    detach() {
      sink = undefined;
    },
    flow(isReady) {
      if (isReady) resume();
      else pause();
    },
    fail() {
      isFailed = true;
      settle(undefined);
    },
  };
}
