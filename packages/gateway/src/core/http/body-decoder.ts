import { EMPTY } from '../sockets/connection.ts';
import { CR, LF } from './characters.ts';
import { type Framing, HEAD_LIMITS, parseTrailers } from './head.ts';
import type { HeaderFields } from './header-fields.ts';

/** Where a decoded body goes. `data` gets octets that are good until the call returns. */
export interface BodySink {
  data(bytes: Buffer): void;
  end(trailers: HeaderFields | undefined): void;
}

/**
 * Takes a message's body out of a byte stream, chunked or by length. `take` answers the index past
 * what it consumed, or -1 when the framing is broken: the connection must then be closed.
 */
export interface BodyDecoder {
  take(bytes: Buffer, from: number): number;
  isDone(): boolean;
  /** The stream ended: true when that is a proper end of this body. */
  finish(): boolean;
}

/** `ffffffff` is 4 GiB: no chunk is larger. Extensions are dropped, as RFC 9112 §7.1.1 allows. */
const SIZE_DIGITS_MAX = 8;
const SIZE_LINE_BYTES_MAX = 256;

export function createBodyDecoder(framing: Framing, sink: BodySink): BodyDecoder {
  switch (framing.kind) {
    case 'none':
      return doneDecoder(sink);
    case 'length':
      return new LengthDecoder(framing.bytes, sink);
    case 'chunked':
      return chunkedDecoder(sink);
    case 'until-close':
      return untilCloseDecoder(sink);
  }
}

function doneDecoder(sink: BodySink): BodyDecoder {
  sink.end(undefined);
  return { take: (_bytes, from) => from, isDone: () => true, finish: () => true };
}

/** The last part that was taken of a read: answers of one size, read into the same memory, have it in common. */
const last = { whole: EMPTY, from: 0, part: EMPTY };

function partOf(bytes: Buffer, from: number, end: number): Buffer {
  if (from === 0 && end === bytes.length) return bytes;
  if (last.whole !== bytes || last.from !== from || last.part.length !== end - from) {
    last.whole = bytes;
    last.from = from;
    last.part = bytes.subarray(from, end);
  }
  return last.part;
}

/** A class, against rule 11: nearly every answer makes one. */
class LengthDecoder implements BodyDecoder {
  private left: number;
  private readonly sink: BodySink;

  constructor(length: number, sink: BodySink) {
    this.left = length;
    this.sink = sink;
  }

  take(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.left);
    if (end > from) {
      this.sink.data(partOf(bytes, from, end));
    }
    const hadLeft = this.left > 0;
    this.left -= end - from;
    if (this.left === 0 && hadLeft) this.sink.end(undefined);
    return end;
  }

  isDone(): boolean {
    return this.left === 0;
  }

  finish(): boolean {
    return this.left === 0;
  }
}

function untilCloseDecoder(sink: BodySink): BodyDecoder {
  let isEnded = false;
  return {
    take(bytes, from) {
      if (bytes.length > from) sink.data(bytes.subarray(from));
      return bytes.length;
    },
    isDone: () => isEnded,
    finish() {
      isEnded = true;
      sink.end(undefined);
      return true;
    },
  };
}

type ChunkState = 'size' | 'data' | 'data-end' | 'trailers' | 'done';

/** Source: RFC 9112 §7.1. A line that ends in anything but CR LF is broken framing. */
function chunkedDecoder(sink: BodySink): BodyDecoder {
  let state: ChunkState = 'size';
  let left = 0;
  /** The start of a size line or of trailers that the last read cut. */
  let held: Buffer | undefined;

  /** Index past the size line; -1 broken, -2 not whole yet. */
  function takeSize(bytes: Buffer, from: number): number {
    const feed = bytes.indexOf(LF, from);
    const end = feed < 0 ? bytes.length : feed;
    if (end - from > SIZE_LINE_BYTES_MAX) return -1;
    if (feed < 0) return hasBareReturn(bytes, from) ? -1 : -2;
    if (feed === from || bytes[feed - 1] !== CR) return -1;
    const size = /^([0-9a-fA-F]+)([ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(
      bytes.toString('latin1', from, feed - 1),
    )?.[1];
    if (size === undefined || size.length > SIZE_DIGITS_MAX) return -1;
    left = Number.parseInt(size, 16);
    state = left === 0 ? 'trailers' : 'data';
    return feed + 1;
  }

  function takeTrailers(bytes: Buffer, from: number): number {
    const trailers = parseTrailers(bytes, from, HEAD_LIMITS);
    if (!('kind' in trailers)) {
      state = 'done';
      sink.end(trailers.fields.list.length === 0 ? undefined : trailers.fields);
      return from + trailers.size;
    }
    return trailers.kind === 'refused' ? -1 : -2;
  }

  function takeDataEnd(bytes: Buffer, from: number): number {
    if (bytes[from] !== CR) return -1;
    if (from + 1 >= bytes.length) return -2;
    if (bytes[from + 1] !== LF) return -1;
    state = 'size';
    return from + 2;
  }

  function takeData(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + left);
    sink.data(bytes.subarray(from, end));
    left -= end - from;
    if (left === 0) state = 'data-end';
    return end;
  }

  const TAKE = { size: takeSize, data: takeData, 'data-end': takeDataEnd, trailers: takeTrailers };

  return {
    take(input, start) {
      const heldBytes = held?.length ?? 0;
      const bytes = held === undefined ? input : Buffer.concat([held, input.subarray(start)]);
      let at = held === undefined ? start : 0;
      const shift = held === undefined ? 0 : start - heldBytes;
      held = undefined;
      while (at < bytes.length && state !== 'done') {
        const next = TAKE[state](bytes, at);
        if (next === -1) return -1;
        if (next === -2) {
          held = Buffer.from(bytes.subarray(at));
          return input.length;
        }
        at = next;
      }
      return at + shift;
    },
    isDone: () => state === 'done',
    finish: () => state === 'done',
  };
}

/** A CR that something other than LF follows. */
function hasBareReturn(bytes: Buffer, from: number): boolean {
  const at = bytes.indexOf(CR, from);
  return at >= 0 && at < bytes.length - 1;
}
