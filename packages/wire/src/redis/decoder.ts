import { addPending, clearPending } from '../pending.ts';
import { outerEnds, PHASE_LOST, PHASE_UNTIL_TURN, type StreamDecoder } from '../stream-decoder.ts';
import { createTextDecoder, type DecodeText } from '../text.ts';
import { redisError, redisStatement } from './statement.ts';
import { PHASE_BULK, PHASE_LINE, type RedisStream } from './stream.ts';

export interface RedisCommand {
  /** As sent, such as `GET` or `get`. */
  readonly name: string;
  /** The command and what may be stored of its arguments. */
  readonly statement: string;
}

export interface RedisReply {
  readonly type: 'Status' | 'Error' | 'Integer' | 'String' | 'Array' | 'Map' | 'Other';
  /** The line of an error with its `-`, without what it quotes; else empty. */
  readonly error: string;
}

export type RedisTrouble = 'not-redis' | 'gap';

/** Hears of messages in stream order. A reply may go on after it was told of; `end` ends each. */
export interface RedisSink {
  /** A message's first byte is `offset` bytes into what is being pushed. */
  start(stream: RedisStream, offset: number): void;
  command(stream: RedisStream, command: RedisCommand): void;
  reply(stream: RedisStream, reply: RedisReply): void;
  /** The message that was told of is over; the stream's sizes describe it. */
  end(stream: RedisStream): void;
  trouble(stream: RedisStream, trouble: RedisTrouble): void;
}

/** Source: the RESP2 and RESP3 specification. */
export type RedisDecoder = StreamDecoder<RedisStream>;

/** A line is a number or a short text; an inline command is at most 64 KiB for the server too. */
const LINE_BYTES_MAX = 4096;
/** Bytes of a command's words that are kept, and how many words. */
const WORDS_BYTES_MAX = 1024;
const WORDS_MAX = 64;
/** The server's own limits. Source: Redis, proto-max-bulk-len and multibulk length. */
const BULK_BYTES_MAX = 2 ** 29;
const VALUES_MAX = 2 ** 20;
const CR = 0x0d;
const LF = 0x0a;

const REPLY_TYPES: Readonly<Record<string, RedisReply['type']>> = {
  '+': 'Status',
  '-': 'Error',
  '!': 'Error',
  ':': 'Integer',
  $: 'String',
  '=': 'String',
  '*': 'Array',
  '~': 'Array',
  '>': 'Array',
  '%': 'Map',
  _: 'Other',
  '#': 'Other',
  ',': 'Other',
  '(': 'Other',
};

export function createRedisDecoder(options: {
  readonly sink: RedisSink;
  readonly text?: DecodeText;
}): RedisDecoder {
  const { sink, text = createTextDecoder() } = options;

  function push(stream: RedisStream, bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (stream.phase === PHASE_LINE) at = pushLine(stream, bytes, { from: at, to }, from);
      else if (stream.phase === PHASE_BULK) at = pushBulk(stream, bytes, at, to);
      else {
        if (stream.phase === PHASE_UNTIL_TURN) seen(stream, to - at);
        return;
      }
    }
  }

  function pushLine(
    stream: RedisStream,
    bytes: Uint8Array,
    range: { readonly from: number; readonly to: number },
    pushedFrom: number,
  ): number {
    if (stream.valuesLeft === 0) begin(stream, range.from - pushedFrom);
    const end = lineEnd(bytes, range.from, range.to);
    const isWhole = bytes[end - 1] === LF;
    seen(stream, end - range.from);
    if (isWhole && stream.pending.length === 0) {
      line(stream, bytes, range.from, end);
      return end;
    }
    const taken = addPending(stream.pending, bytes, { from: range.from, to: end }, LINE_BYTES_MAX);
    if (taken < end - range.from) give(stream, 'not-redis');
    else if (isWhole) {
      const { bytes: held, length } = stream.pending;
      clearPending(stream.pending);
      line(stream, held, 0, length);
    }
    return end;
  }

  function begin(stream: RedisStream, offset: number): void {
    sink.start(stream, offset);
    stream.valuesLeft = 1;
    stream.size = 0;
    stream.captured = 0;
    stream.bodySize = 0;
    stream.words = [];
    stream.wordsLength = 0;
    stream.wordCount = 0;
    stream.isPush = false;
    stream.isTold = false;
  }

  /** A line with its line end. */
  function line(stream: RedisStream, bytes: Uint8Array, from: number, to: number): void {
    const isFirst = stream.valuesLeft === 1 && stream.wordCount === 0;
    const end = bytes[to - 2] === CR ? to - 2 : to - 1;
    const type = String.fromCharCode(bytes[from] ?? 0);
    if (stream.isAsking && isFirst && type !== '*') inline(stream, bytes, from, end);
    else if (bytes[to - 2] !== CR || (type !== '|' && REPLY_TYPES[type] === undefined)) {
      give(stream, 'not-redis');
    } else {
      stream.wordCount += 1;
      if (!stream.isAsking && !stream.isTold && stream.valuesLeft === 1 && type !== '|')
        tell(stream, type, bytes, from, end);
      value(stream, type, number(bytes, from + 1, end));
    }
  }

  /** A command as a person types it. Source: Redis, "Inline commands". */
  function inline(stream: RedisStream, bytes: Uint8Array, from: number, end: number): void {
    const words = text(bytes, from, end).split(' ').filter(Boolean);
    if (words.length === 0) {
      stream.valuesLeft = 0;
      return;
    }
    if (!/^[A-Za-z]{2,32}$/.test(words[0] ?? '')) {
      give(stream, 'not-redis');
      return;
    }
    stream.words = words.slice(0, WORDS_MAX);
    stream.wordCount = words.length + 1; // As if the array's own line had been there.
    finish(stream);
  }

  function tell(
    stream: RedisStream,
    type: string,
    bytes: Uint8Array,
    from: number,
    end: number,
  ): void {
    stream.isTold = true;
    stream.isPush = type === '>';
    if (stream.isPush) return;
    const error = type === '-' ? redisError(text(bytes, from, end)) : '';
    sink.reply(stream, { type: REPLY_TYPES[type] ?? 'Other', error });
  }

  function value(stream: RedisStream, type: string, count: number): void {
    switch (type) {
      case '$':
      case '=':
      case '!':
        if (count > BULK_BYTES_MAX || Number.isNaN(count)) give(stream, 'not-redis');
        else if (count < 0) passed(stream);
        else {
          stream.phase = PHASE_BULK;
          stream.remaining = count + 2;
        }
        return;
      case '*':
      case '~':
      case '>':
        more(stream, count, count - 1);
        return;
      case '%':
        more(stream, count, 2 * count - 1);
        return;
      case '|':
        // Attributes come before the value that they describe.
        more(stream, count, 2 * count);
        return;
      default:
        passed(stream);
    }
  }

  function more(stream: RedisStream, count: number, added: number): void {
    if (count > VALUES_MAX || Number.isNaN(count)) give(stream, 'not-redis');
    else if (count < 0) passed(stream);
    else {
      stream.valuesLeft += added;
      if (stream.valuesLeft > VALUES_MAX) give(stream, 'not-redis');
      else if (stream.valuesLeft === 0) finish(stream);
    }
  }

  function passed(stream: RedisStream): void {
    stream.valuesLeft -= 1;
    if (stream.valuesLeft === 0) finish(stream);
  }

  function pushBulk(stream: RedisStream, bytes: Uint8Array, at: number, to: number): number {
    const taken = Math.min(to - at, stream.remaining);
    seen(stream, taken);
    const ofBody = Math.min(taken, Math.max(0, stream.remaining - 2));
    stream.bodySize += ofBody;
    if (stream.isAsking && isKept(stream)) {
      addPending(stream.pending, bytes, { from: at, to: at + ofBody }, WORDS_BYTES_MAX);
    }
    stream.remaining -= taken;
    if (stream.remaining === 0) endBulk(stream);
    return at + taken;
  }

  function isKept(stream: RedisStream): boolean {
    return stream.words.length < WORDS_MAX && stream.wordsLength < WORDS_BYTES_MAX;
  }

  function endBulk(stream: RedisStream): void {
    stream.phase = PHASE_LINE;
    keepWord(stream);
    passed(stream);
  }

  function keepWord(stream: RedisStream): void {
    if (!stream.isAsking || !isKept(stream)) return;
    const { bytes, length } = stream.pending;
    stream.words.push(text(bytes, 0, length));
    stream.wordsLength += length;
    clearPending(stream.pending);
  }

  function finish(stream: RedisStream): void {
    const isAnswer = !stream.isAsking && !stream.isPush;
    stream.phase = PHASE_LINE;
    stream.valuesLeft = 0;
    clearPending(stream.pending);
    if (stream.isAsking && !stream.isTold && !ask(stream)) return;
    if (stream.isAsking || isAnswer) sink.end(stream);
  }

  /** Whether anything was asked: an array of nothing is skipped by the server too. */
  function ask(stream: RedisStream): boolean {
    const { words, wordCount } = stream;
    const [name] = words;
    if (name === undefined) return false;
    // Less the array's own line, and the command.
    const statement = redisStatement(words, wordCount - 2);
    sink.command(stream, { name: name.slice(0, 32), statement });
    return true;
  }

  function gap(stream: RedisStream, count: number): void {
    if (count <= 0) return;
    if (stream.phase === PHASE_LOST) return;
    stream.size += count;
    if (stream.phase === PHASE_BULK && count <= stream.remaining) {
      stream.bodySize += Math.min(count, Math.max(0, stream.remaining - 2));
      stream.remaining -= count;
      if (stream.remaining === 0) endBulk(stream);
    } else if (stream.phase !== PHASE_UNTIL_TURN) {
      if (stream.valuesLeft === 0) give(stream, 'gap');
      else cut(stream);
    }
  }

  /** The rest of the open message is not seen: it lasts until the other side speaks. */
  function cut(stream: RedisStream): void {
    stream.wordCount += stream.valuesLeft;
    if (stream.phase === PHASE_BULK) {
      stream.wordCount -= 1;
      keepWord(stream);
    }
    if (stream.isAsking) stream.isTold = ask(stream);
    if (stream.isTold && !stream.isPush) stream.phase = PHASE_UNTIL_TURN;
    else give(stream, 'gap');
  }

  function give(stream: RedisStream, trouble: RedisTrouble): void {
    const isOpen = stream.isTold && !stream.isPush;
    stream.phase = PHASE_LOST;
    stream.valuesLeft = 0;
    clearPending(stream.pending);
    if (isOpen) sink.end(stream);
    sink.trouble(stream, trouble);
  }

  function settle(stream: RedisStream): void {
    if (stream.valuesLeft > 0 && stream.phase !== PHASE_UNTIL_TURN) cut(stream);
    if (stream.phase === PHASE_UNTIL_TURN) finish(stream);
  }

  return { push, gap, ...outerEnds(finish, settle) };
}

/** After the first line end of `bytes[from, to)`, or `to`. The ring is large: looks no further. */
function lineEnd(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i += 1) if (bytes[i] === LF) return i + 1;
  return to;
}

function seen(stream: RedisStream, count: number): void {
  stream.size += count;
  stream.captured += count;
}

/** A decimal number, which may be negative; NaN for anything else. */
function number(bytes: Uint8Array, from: number, to: number): number {
  const isNegative = bytes[from] === 0x2d;
  const first = isNegative ? from + 1 : from;
  if (first >= to || to - first > 10) return Number.NaN;
  let value = 0;
  for (let i = first; i < to; i += 1) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}

/**
 * Whether `bytes[from, to)` begins a command of Redis: an array of bulk strings. `to` may cut it
 * anywhere after its first line.
 */
export function looksLikeRedis(bytes: Uint8Array, from: number, to: number): boolean {
  if (bytes[from] !== 0x2a) return false;
  const end = lineEnd(bytes, from, Math.min(to, from + 16));
  if (bytes[end - 1] !== LF || bytes[end - 2] !== CR) return false;
  const count = number(bytes, from + 1, end - 2);
  if (!(count >= 1 && count <= VALUES_MAX)) return false;
  return end === to || bytes[end] === 0x24;
}
