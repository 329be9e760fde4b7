import { CR, FIELD_VALUE, LF, pastAll, SPACE, TARGET, TOKEN } from './characters.ts';
import { type ConnectionOptions, connectionOptions } from './connection-options.ts';
import { fieldsAt, parseFields } from './field-lines.ts';
import { CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING } from './field-name.ts';
import {
  type HeadLimits,
  HeadReading,
  type RequestFacts,
  type ResponseFacts,
} from './head-reading.ts';
import { HeaderFields } from './header-fields.ts';
import { type Refused, refused } from './refused.ts';

/** As nginx's defaults: one line in an 8 KiB buffer, four such buffers for a head. */
export const HEAD_LIMITS: HeadLimits = {
  lineBytesMax: 8_192,
  fieldsMax: 256,
  headBytesMax: 32_768,
};

/** How the body that follows a head ends. Source: RFC 9112 §6. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

export const NO_BODY: Framing = { kind: 'none' };
export const CHUNKED: Framing = { kind: 'chunked' };
const UNTIL_CLOSE: Framing = { kind: 'until-close' };

export interface RequestHead {
  readonly kind: 'request';
  readonly method: string;
  /** As it came: origin form, absolute form, or `*`. */
  readonly target: string;
  readonly isHttp10: boolean;
  /** Present: it came as HTTP/2. */
  readonly isHttp2?: true;
  readonly fields: HeaderFields;
  readonly framing: Framing;
  readonly isKeepAlive: boolean;
  readonly expectsContinue: boolean;
  /** What `Upgrade` asks for, in lower case, when `Connection` names it. */
  readonly upgrade: string | undefined;
  /** Octets of the head, the empty line included. */
  readonly size: number;
}

export interface ResponseHead {
  readonly kind: 'response';
  readonly status: number;
  readonly isHttp10: boolean;
  readonly fields: HeaderFields;
  readonly framing: Framing;
  readonly isKeepAlive: boolean;
  readonly size: number;
}

const NEED_MORE = { kind: 'need-more' } as const;
const HEAD_END = Buffer.from('\r\n\r\n');

type Head<Message> = Message | Refused | typeof NEED_MORE;

/**
 * The request head at `from`. Never throws; keeps no view of `bytes`. Refuses whatever two readers
 * could frame in two ways (RFC 9112 §11.2). Source: RFC 9112 §2.2, §3, §5, §6.
 */
export function parseRequestHead(
  bytes: Buffer,
  from: number,
  reading = new HeadReading(HEAD_LIMITS),
): Head<RequestHead> {
  const { limits } = reading;
  // RFC 9112 §2.2: a server should ignore at least one empty line before the request line.
  const start = bytes[from] === CR && bytes[from + 1] === LF ? from + 2 : from;
  if (isLong(bytes, start)) {
    const end = headEnd(bytes, start, limits);
    if (typeof end !== 'number') return end;
  }
  const head = requestHeadAt(bytes, from, start, reading);
  if (head.kind === 'request') {
    return head.size > limits.headBytesMax ? refused(431, 'head too large') : head;
  }
  // What is not whole yet looks broken where it ends.
  const end = headEnd(bytes, start, limits);
  return typeof end === 'number' ? head : end;
}

/** The head that begins at `start` in what came from `from` on. */
function requestHeadAt(
  bytes: Buffer,
  from: number,
  start: number,
  reading: HeadReading,
): RequestHead | Refused {
  const methodEnd = pastAll(bytes, start, TOKEN);
  if (methodEnd === start || bytes[methodEnd] !== SPACE) return refused(400, 'bad method');
  const targetEnd = pastAll(bytes, methodEnd + 1, TARGET);
  if (targetEnd === methodEnd + 1 || bytes[targetEnd] !== SPACE) return refused(400, 'bad target');
  const lineEnd = pastAll(bytes, targetEnd + 1, FIELD_VALUE);
  if (bytes[lineEnd] !== CR || bytes[lineEnd + 1] !== LF) return refused(400, 'bad request line');
  if (lineEnd - start > reading.limits.lineBytesMax) return refused(414, 'request line too long');
  const version = versionAt(bytes, targetEnd + 1, lineEnd);
  if (typeof version !== 'boolean') return version;

  const fields = new HeaderFields();
  const end = fieldsAt(bytes, lineEnd + 2, reading, fields);
  if (typeof end !== 'number') return end;
  const known = reading.request;
  const facts = known?.isHttp10 === version ? known : requestFacts(fields, version, reading);
  if ('kind' in facts) return facts;
  return {
    kind: 'request',
    method: methodAt(bytes, start, methodEnd),
    target: bytes.toString('latin1', methodEnd + 1, targetEnd),
    isHttp10: version,
    fields,
    framing: facts.framing,
    isKeepAlive: facts.isKeepAlive,
    expectsContinue: facts.expectsContinue,
    upgrade: facts.upgrade,
    size: end - from,
  };
}

/** Kept in `reading` unless fields have to be taken out of each message. */
function requestFacts(
  fields: HeaderFields,
  isHttp10: boolean,
  reading: HeadReading,
): RequestFacts | Refused {
  const framing = requestFraming(fields, isHttp10);
  if (framing.kind === 'refused') return framing;
  const fault = hostFault(fields, isHttp10);
  if (fault !== undefined) return fault;
  const connection = connectionOptions(fields);
  if (connection.fields.some((key) => FOR_ALL.has(key))) return refused(400, 'bad Connection');
  // What concerns this connection alone goes no further (RFC 9110 §7.6.1). Taken out here, so that
  // no client can have fields taken out that the gateway itself adds.
  for (const key of connection.fields) fields.remove(key);
  const isWaiting = !isHttp10 && (fields.kinds & EXPECT) !== 0;
  const facts = {
    isHttp10,
    framing,
    isKeepAlive: keepsAlive(isHttp10, connection),
    expectsContinue: isWaiting && fields.get('expect')?.toLowerCase() === '100-continue',
    upgrade: connection.upgrades ? fields.get('upgrade')?.toLowerCase() : undefined,
  };
  if (connection.fields.length === 0) reading.request = facts;
  return facts;
}

function hostFault(fields: HeaderFields, isHttp10: boolean): Refused | undefined {
  const host = fields.first('host');
  if (host === undefined) return isHttp10 ? undefined : refused(400, 'no Host');
  if (fields.count('host') > 1) return refused(400, 'more than one Host');
  return isHost(host.valueLike(lastHost)) ? undefined : refused(400, 'bad Host');
}

/** The response head at `from`, to a request of `method`. As strict as `parseRequestHead`. */
export function parseResponseHead(
  bytes: Buffer,
  from: number,
  method: string,
  reading = new HeadReading(HEAD_LIMITS),
): Head<ResponseHead> {
  const { limits } = reading;
  if (isLong(bytes, from)) {
    const end = headEnd(bytes, from, limits);
    if (typeof end !== 'number') return end;
  }
  const head = responseHeadAt(bytes, from, method, reading);
  if (head.kind === 'response') {
    return head.size > limits.headBytesMax ? refused(431, 'head too large') : head;
  }
  const end = headEnd(bytes, from, limits);
  return typeof end === 'number' ? head : end;
}

function responseHeadAt(
  bytes: Buffer,
  from: number,
  method: string,
  reading: HeadReading,
): ResponseHead | Refused {
  const lineEnd = pastAll(bytes, from, FIELD_VALUE);
  if (bytes[lineEnd] !== CR || bytes[lineEnd + 1] !== LF) return refused(400, 'bad status line');
  const version = versionAt(bytes, from, Math.min(from + 8, lineEnd));
  if (typeof version !== 'boolean') return version;
  const status = statusAt(bytes, from + 8, lineEnd);
  if (status === undefined) return refused(400, 'bad status line');
  const fields = new HeaderFields();
  const end = fieldsAt(bytes, lineEnd + 2, reading, fields);
  if (typeof end !== 'number') return end;
  const known = reading.response;
  const isAgain = known?.status === status && known.isHttp10 === version;
  const facts =
    isAgain && known.method === method ? known : responseFacts(fields, status, method, version);
  if ('kind' in facts) return facts;
  reading.response = facts;
  const { framing, isKeepAlive } = facts;
  return {
    kind: 'response',
    status,
    isHttp10: version,
    fields,
    framing,
    isKeepAlive,
    size: end - from,
  };
}

function responseFacts(
  fields: HeaderFields,
  status: number,
  method: string,
  isHttp10: boolean,
): ResponseFacts | Refused {
  const framing = responseFraming(fields, status, method, isHttp10);
  if (framing.kind === 'refused') return framing;
  const isKept = keepsAlive(isHttp10, connectionOptions(fields));
  const isKeepAlive = isKept && framing.kind !== 'until-close';
  return { status, method, isHttp10, framing, isKeepAlive };
}

/** Trailer fields from `from`, up to the empty line. */
export function parseTrailers(
  bytes: Buffer,
  from: number,
  limits: HeadLimits,
): { readonly fields: HeaderFields; readonly size: number } | Refused | typeof NEED_MORE {
  if (bytes[from] === CR && bytes[from + 1] === LF) return { fields: new HeaderFields(), size: 2 };
  const end = headEnd(bytes, from, limits);
  if (typeof end !== 'number') return end;
  const fields = new HeaderFields();
  const fault = parseFields(bytes, from, limits, fields);
  return typeof fault === 'number' ? { fields, size: end - from } : fault;
}

/** A head of so many octets is not read from its start for each piece of it that comes. */
const READ_AGAIN_BYTES_MAX = 4_096;

function isLong(bytes: Buffer, from: number): boolean {
  return bytes.length - from > READ_AGAIN_BYTES_MAX;
}

/** Where the head ends (past its empty line); what is hopeless is refused before it is whole. */
function headEnd(bytes: Buffer, from: number, limits: HeadLimits): number | Head<never> {
  const at = bytes.indexOf(HEAD_END, from);
  if (at >= 0 && at + 4 - from <= limits.headBytesMax) return at + 4;
  if (at >= 0) return refused(431, 'head too large');
  const feed = bytes.indexOf(LF, from);
  if (feed >= 0 && (feed === from || bytes[feed - 1] !== CR)) return refused(400, 'bare LF');
  if (feed < 0 && bytes.length - from > limits.lineBytesMax) return refused(414, 'line too long');
  return bytes.length - from > limits.headBytesMax ? refused(431, 'head too large') : NEED_MORE;
}

const GET = Buffer.from('GET');
const VERSION_START = Buffer.from('HTTP/1.');
const ZERO = 48;
const ONE = 49;
const NINE = 57;

/** Whether `[from, end)` begins with `text`. */
function startsWith(bytes: Buffer, from: number, end: number, text: Buffer): boolean {
  if (end - from < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}

/** The usual method is no new text each time. */
function methodAt(bytes: Buffer, from: number, end: number): string {
  if (end - from === GET.length && startsWith(bytes, from, end, GET)) return 'GET';
  return bytes.toString('latin1', from, end);
}

/** Whether it is HTTP/1.0; refused when it is neither 1.0 nor 1.1. */
function versionAt(bytes: Buffer, from: number, end: number): boolean | Refused {
  if (end - from === VERSION_START.length + 1 && startsWith(bytes, from, end, VERSION_START)) {
    const minor = bytes[end - 1];
    if (minor === ONE) return false;
    if (minor === ZERO) return true;
  }
  const version = bytes.toString('latin1', from, end);
  return /^HTTP\/\d\.\d$/.test(version) ? refused(505, 'version') : refused(400, 'bad version');
}

function statusAt(bytes: Buffer, from: number, end: number): number | undefined {
  if (bytes[from] !== SPACE || end < from + 4) return undefined;
  if (end > from + 4 && bytes[from + 4] !== SPACE) return undefined;
  let status = 0;
  for (let i = from + 1; i < from + 4; i++) {
    const code = bytes[i] ?? 0;
    if (code < ZERO || code > NINE) return undefined;
    status = status * 10 + code - ZERO;
  }
  return status >= 100 && isAll(bytes, from + 4, end, FIELD_VALUE) ? status : undefined;
}

function requestFraming(fields: HeaderFields, isHttp10: boolean): Framing | Refused {
  const { kinds } = fields;
  if ((kinds & (CONTENT_LENGTH | TRANSFER_ENCODING)) === 0) return NO_BODY;
  const length = contentLength(fields);
  if (typeof length === 'object') return length;
  if ((kinds & TRANSFER_ENCODING) === 0) return lengthFraming(length ?? 0);
  if (length !== undefined) return refused(400, 'both Transfer-Encoding and Content-Length');
  if (isHttp10) return refused(400, 'Transfer-Encoding in HTTP/1.0');
  const codings = fields.all('transfer-encoding');
  if (codings.length === 1 && codings[0]?.toLowerCase() === 'chunked') return CHUNKED;
  return refused(501, 'transfer coding other than chunked');
}

function responseFraming(
  fields: HeaderFields,
  status: number,
  method: string,
  isHttp10: boolean,
): Framing | Refused {
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return NO_BODY;
  const length = contentLength(fields);
  if (typeof length === 'object') return length;
  if ((fields.kinds & TRANSFER_ENCODING) !== 0) {
    if (length !== undefined) return refused(400, 'both Transfer-Encoding and Content-Length');
    const coding = fields.joined('transfer-encoding')?.toLowerCase();
    if (coding !== 'chunked' || isHttp10) return refused(400, 'bad Transfer-Encoding');
    return CHUNKED;
  }
  return length === undefined ? UNTIL_CLOSE : lengthFraming(length);
}

function lengthFraming(bytes: number): Framing {
  return bytes === 0 ? NO_BODY : { kind: 'length', bytes };
}

/** One field of 1 to 15 digits: no sign, no list, no second copy (below 2^53). Undefined: none. */
function contentLength(fields: HeaderFields): number | undefined | Refused {
  const only = fields.first('content-length');
  if (only === undefined) return undefined;
  if (fields.count('content-length') > 1) return refused(400, 'more than one Content-Length');
  const { text, valueStart, valueEnd } = only;
  const size = valueEnd - valueStart;
  if (size < 1 || size > 15) return refused(400, 'bad Content-Length');
  let length = 0;
  for (let i = valueStart; i < valueEnd; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return refused(400, 'bad Content-Length');
    length = length * 10 + digit;
  }
  return length;
}

/** Fields that frame or route a message: no client may call them its connection's own. */
const FOR_ALL: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding']);
function keepsAlive(isHttp10: boolean, options: ConnectionOptions): boolean {
  return !options.closes && (!isHttp10 || options.keepsAlive);
}

/** The last host that was good: most requests name the same few. */
let lastHost = '';

/** No user information, no path, no list: what could name two hosts is refused. */
export function isHost(value: string): boolean {
  if (value === lastHost) return true;
  const isGood = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(:\d{0,5})?$/.test(value);
  if (isGood) lastHost = value;
  return isGood;
}

function isAll(bytes: Buffer, from: number, end: number, table: Uint8Array): boolean {
  for (let i = from; i < end; i++) if (table[bytes[i] ?? 0] !== 1) return false;
  return true;
}
