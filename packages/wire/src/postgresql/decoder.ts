import { addPending, clearPending } from '../pending.ts';
import { sqlWithoutLiterals } from '../sql.ts';
import { outerEnds, PHASE_LOST, PHASE_UNTIL_TURN, type StreamDecoder } from '../stream-decoder.ts';
import { createTextDecoder, type DecodeText } from '../text.ts';
import { errorFields, errorText, isClientError } from './error.ts';
import {
  CLIENT_TAGS,
  HEADER_SIZE,
  MESSAGE_SIZE_MAX,
  SERVER_TAGS,
  startupKind,
  uint32,
} from './frame.ts';
import { PHASE_HEADER, PHASE_PAYLOAD, type PostgresqlStream } from './stream.ts';

/** Messages up to Query or Sync, which one answer follows. */
export interface PostgresqlRequest {
  /** Tag of the message that names it: Q query, P parse, B bind, E execute, S sync alone, startup. */
  readonly type: string;
  /** Without literals. Of a prepared statement too, where its Parse was seen. */
  readonly sql: string;
  /** The database, of a start-up. */
  readonly domain: string;
}

/** Messages up to ReadyForQuery. */
export interface PostgresqlAnswer {
  readonly outcome: 'success' | 'client-error' | 'server-error';
  /** SQLSTATE and what may be stored of the text; empty without an error. */
  readonly error: string;
  /** The last command's tag, such as `SELECT 3`. */
  readonly result: string;
}

export type PostgresqlTrouble = 'not-postgresql' | 'gap';

/** Hears of requests and answers in stream order, each told of just before its end. */
export interface PostgresqlSink {
  /** Its first byte is `offset` bytes into what is being pushed. */
  start(stream: PostgresqlStream, offset: number): void;
  request(stream: PostgresqlStream, request: PostgresqlRequest): void;
  answer(stream: PostgresqlStream, answer: PostgresqlAnswer): void;
  end(stream: PostgresqlStream): void;
  trouble(stream: PostgresqlStream, trouble: PostgresqlTrouble): void;
}

/**
 * Source: the PostgreSQL manual, "Frontend/Backend Protocol", version 3.
 */
export type PostgresqlDecoder = StreamDecoder<PostgresqlStream>;

/** Payload bytes kept of one message: SQL, names, fields of an error. */
const KEPT_MAX = 4096;
/** Of one connection. Their texts are shared between the connections of a pool. */
const STATEMENTS_MAX = 64;
const SHOWN_MAX = 1024;
/** Requests: what their payload says. Answers: command tags and errors. */
const KEPT_ASKING = new Set(['Q', 'P', 'B', '\0']);
const KEPT_ANSWERING = new Set(['C', 'E']);
/** Of a server, outside of any answer: notices, notifications, changed settings. */
const UNASKED = new Set(['N', 'A', 'S']);
/** Of a client: parts of a login or of a COPY, and its good-bye. None is a request. */
const UNANSWERED = new Set(['p', 'd', 'c', 'f', 'X']);

export function createPostgresqlDecoder(options: {
  readonly sink: PostgresqlSink;
  readonly text?: DecodeText;
}): PostgresqlDecoder {
  const { sink, text = createTextDecoder() } = options;
  /** Without literals, by what was sent: a pool prepares the same statements again and again. */
  const shownBySql = new Map<string, string>();

  function push(stream: PostgresqlStream, bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (stream.phase === PHASE_HEADER) at = pushHeader(stream, bytes, at, to, from);
      else if (stream.phase === PHASE_PAYLOAD) at = pushPayload(stream, bytes, at, to);
      else {
        if (stream.phase === PHASE_UNTIL_TURN) seen(stream, to - at);
        return;
      }
    }
  }

  function pushHeader(
    stream: PostgresqlStream,
    bytes: Uint8Array,
    at: number,
    to: number,
    pushedFrom: number,
  ): number {
    if (!stream.isOpen && stream.pending.length === 0) {
      sink.start(stream, at - pushedFrom);
      stream.size = 0;
      stream.captured = 0;
    }
    // A start-up has no tag: its length's first byte is 0, and its code takes the place of one.
    const isStartup = (stream.pending.length > 0 ? stream.pending.bytes[0] : bytes[at]) === 0;
    const isRefusal =
      !stream.isAsking && !stream.isOpen && isEncryptionAnswer(stream, bytes, at, to);
    if (isRefusal) return at + 1;
    const size = isStartup ? 8 : HEADER_SIZE;
    const taken = addPending(stream.pending, bytes, { from: at, to }, size);
    seen(stream, taken);
    if (stream.pending.length === size) header(stream, isStartup);
    return at + taken;
  }

  /** One byte alone, S or N, answers a request for encryption; what follows S is not for us. */
  function isEncryptionAnswer(
    stream: PostgresqlStream,
    bytes: Uint8Array,
    at: number,
    to: number,
  ): boolean {
    if (to - at !== 1 || stream.pending.length > 0) return false;
    const letter = bytes[at];
    return letter === 0x4e || letter === 0x53;
  }

  function header(stream: PostgresqlStream, isStartup: boolean): void {
    const held = stream.pending.bytes;
    const length = uint32(held, isStartup ? 0 : 1);
    const tag = isStartup ? 0 : (held[0] ?? 0);
    const code = uint32(held, 4);
    clearPending(stream.pending);
    const tags = stream.isAsking ? CLIENT_TAGS : SERVER_TAGS;
    const kind = isStartup && stream.isAsking ? startupKind(length, code) : undefined;
    const isKnown = isStartup ? kind !== undefined : tags.has(tag) && length >= 4;
    if (!isKnown || length > MESSAGE_SIZE_MAX) {
      give(stream, 'not-postgresql');
      return;
    }
    stream.tag = kind === 'startup' || tag !== 0 ? tag : -1;
    stream.remaining = length - (isStartup ? 8 : 4);
    if (!isAside(stream)) open(stream);
    stream.phase = PHASE_PAYLOAD;
    if (stream.remaining === 0) message(stream);
  }

  /** Whether the message neither begins nor belongs to a request or an answer. */
  function isAside(stream: PostgresqlStream): boolean {
    if (stream.isOpen) return false;
    if (stream.tag < 0) return true;
    const letter = letterOf(stream);
    return stream.isAsking ? UNANSWERED.has(letter) : UNASKED.has(letter);
  }

  function open(stream: PostgresqlStream): void {
    if (stream.isOpen) return;
    stream.isOpen = true;
    stream.bodySize = 0;
    stream.type = '';
    stream.sql = '';
    stream.domain = '';
    stream.result = '';
    stream.error = '';
    stream.code = '';
  }

  function pushPayload(
    stream: PostgresqlStream,
    bytes: Uint8Array,
    at: number,
    to: number,
  ): number {
    const taken = Math.min(to - at, stream.remaining);
    seen(stream, taken);
    if (isKept(stream)) addPending(stream.pending, bytes, { from: at, to: at + taken }, KEPT_MAX);
    passed(stream, taken);
    return at + taken;
  }

  function isKept(stream: PostgresqlStream): boolean {
    if (!stream.isOpen) return false;
    return (stream.isAsking ? KEPT_ASKING : KEPT_ANSWERING).has(letterOf(stream));
  }

  function passed(stream: PostgresqlStream, count: number): void {
    stream.bodySize += count;
    stream.remaining -= count;
    if (stream.remaining === 0) message(stream);
  }

  /** A message is whole, or as much of it as there will be. */
  function message(stream: PostgresqlStream): void {
    stream.phase = PHASE_HEADER;
    const { bytes, length } = stream.pending;
    const payload = length === 0 ? '' : text(bytes, 0, length);
    clearPending(stream.pending);
    if (!stream.isOpen) return;
    if (stream.isAsking) asked(stream, payload);
    else answered(stream, payload);
  }

  function asked(stream: PostgresqlStream, payload: string): void {
    const letter = letterOf(stream);
    if (letter === '\0') {
      stream.type = 'startup';
      stream.domain = databaseOf(payload);
    } else if (letter === 'Q') {
      stream.type = 'Q';
      stream.sql = sqlWithoutLiterals(upToZero(payload));
    } else if (letter === 'P') parse(stream, payload);
    else if (letter === 'B') bind(stream, payload);
    else if (letter === 'E' && stream.type !== 'P') stream.type = 'E';
    else if (stream.type === '') stream.type = letter;
    if (letter === '\0' || letter === 'Q' || letter === 'S' || letter === 'F') finish(stream);
  }

  function parse(stream: PostgresqlStream, payload: string): void {
    const [name = '', sql = ''] = payload.split('\0', 2);
    const shown = shownOf(sql);
    stream.type = 'P';
    stream.sql ||= shown;
    stream.statements.delete(name);
    keepAtMost(stream.statements.set(name, shown), STATEMENTS_MAX);
  }

  function shownOf(sql: string): string {
    const known = shownBySql.get(sql);
    if (known !== undefined) return known;
    const shown = sqlWithoutLiterals(sql);
    keepAtMost(shownBySql.set(sql, shown), SHOWN_MAX);
    return shown;
  }

  function bind(stream: PostgresqlStream, payload: string): void {
    const [, name = ''] = payload.split('\0', 2);
    if (stream.type === '') stream.type = 'B';
    stream.sql ||= stream.statements.get(name) ?? '';
  }

  function answered(stream: PostgresqlStream, payload: string): void {
    const letter = letterOf(stream);
    if (letter === 'C') stream.result = upToZero(payload).slice(0, 64);
    else if (letter === 'E' && stream.code === '') {
      const { code, message: said } = errorFields(payload);
      stream.code = code || 'XX000';
      stream.error = errorText(stream.code, said);
    } else if (letter === 'Z') finish(stream);
  }

  function finish(stream: PostgresqlStream): void {
    stream.phase = PHASE_HEADER;
    tell(stream);
    stream.isOpen = false;
    stream.isTold = false;
    clearPending(stream.pending);
    sink.end(stream);
  }

  function tell(stream: PostgresqlStream): void {
    if (stream.isTold) return;
    stream.isTold = true;
    const { type, sql, domain, code, error, result } = stream;
    if (stream.isAsking) {
      sink.request(stream, { type, sql, domain });
      return;
    }
    const failed = isClientError(code) ? 'client-error' : 'server-error';
    sink.answer(stream, { outcome: code === '' ? 'success' : failed, error, result });
  }

  function gap(stream: PostgresqlStream, count: number): void {
    if (count <= 0 || stream.phase === PHASE_LOST) return;
    stream.size += count;
    if (stream.phase === PHASE_PAYLOAD && count <= stream.remaining) passed(stream, count);
    else if (stream.phase !== PHASE_UNTIL_TURN) cut(stream);
  }

  /** The rest is not seen: what is open lasts until the other side speaks. */
  function cut(stream: PostgresqlStream): void {
    if (stream.phase === PHASE_PAYLOAD) message(stream);
    clearPending(stream.pending);
    if (!stream.isOpen) {
      give(stream, 'gap');
      return;
    }
    if (stream.isAsking) tell(stream);
    stream.phase = PHASE_UNTIL_TURN;
  }

  function give(stream: PostgresqlStream, trouble: PostgresqlTrouble): void {
    if (stream.isOpen) finish(stream);
    clearPending(stream.pending);
    stream.phase = PHASE_LOST;
    sink.trouble(stream, trouble);
  }

  function settle(stream: PostgresqlStream): void {
    if (stream.phase === PHASE_PAYLOAD) message(stream);
    if (stream.isOpen) finish(stream);
    clearPending(stream.pending);
  }

  return { push, gap, ...outerEnds(finish, settle) };
}

/** The oldest goes when there are too many. */
function keepAtMost(map: Map<string, string>, most: number): void {
  if (map.size <= most) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}

function letterOf({ tag }: PostgresqlStream): string {
  return String.fromCharCode(tag);
}

function seen(stream: PostgresqlStream, count: number): void {
  stream.size += count;
  stream.captured += count;
}

function upToZero(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** The database that a start-up names, else the user's, which is the default. */
function databaseOf(payload: string): string {
  const words = payload.split('\0');
  const of = (name: string): string | undefined => {
    for (let i = 0; i + 1 < words.length; i += 2) if (words[i] === name) return words[i + 1];
    return undefined;
  };
  return of('database') ?? of('user') ?? '';
}
