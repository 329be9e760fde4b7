import { COLON, CR, FIELD_VALUE, LF, SPACE, TAB, TARGET, TOKEN } from './characters.ts';
import { HeaderFields } from './header-fields.ts';

/** Bounds of one head. Beyond them the answer is 414 (line) or 431 (fields). */
export interface HeadLimits {
  readonly lineBytesMax: number;
  readonly fieldsMax: number;
  readonly headBytesMax: number;
}

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

/** A head that is refused, and the status that says so. Nothing of it may be forwarded. */
export interface Refused {
  readonly kind: 'refused';
  readonly status: 400 | 414 | 431 | 501 | 505;
  readonly reason: string;
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
  limits: HeadLimits = HEAD_LIMITS,
): Head<RequestHead> {
  let start = from;
  // RFC 9112 §2.2: a server should ignore at least one empty line before the request line.
  if (bytes[start] === CR && bytes[start + 1] === LF) start += 2;
  const end = headEnd(bytes, start, limits);
  if (typeof end !== 'number') return end;

  const lineEnd = bytes.indexOf(CR, start);
  if (bytes[lineEnd + 1] !== LF) return refused(400, 'bare CR');
  if (lineEnd - start > limits.lineBytesMax) return refused(414, 'request line too long');
  const methodEnd = bytes.indexOf(SPACE, start);
  if (methodEnd <= start || methodEnd > lineEnd) return refused(400, 'no method');
  if (!isAll(bytes, start, methodEnd, TOKEN)) return refused(400, 'bad method');
  const targetEnd = bytes.indexOf(SPACE, methodEnd + 1);
  if (targetEnd <= methodEnd + 1 || targetEnd > lineEnd) return refused(400, 'no target');
  if (!isAll(bytes, methodEnd + 1, targetEnd, TARGET)) return refused(400, 'bad target');
  const version = versionAt(bytes, targetEnd + 1, lineEnd);
  if (typeof version !== 'boolean') return version;

  const fields = parseFields(bytes, lineEnd + 2, end, limits);
  if ('kind' in fields) return fields;
  const connection = connectionOptions(fields);
  const framing = requestFraming(fields, version);
  if (framing.kind === 'refused') return framing;
  const host = fields.get('host');
  if (fields.count('host') > 1) return refused(400, 'more than one Host');
  if (host === undefined && !version) return refused(400, 'no Host');
  if (host !== undefined && !isHost(host)) return refused(400, 'bad Host');
  if (connection.some((option) => FOR_ALL.has(option))) return refused(400, 'bad Connection');
  // What concerns this connection alone goes no further (RFC 9110 §7.6.1). Taken out here, so that
  // no client can have fields taken out that the gateway itself adds.
  for (const option of connection) if (!OPTIONS.has(option)) fields.remove(option);
  return {
    kind: 'request',
    method: methodAt(bytes, start, methodEnd),
    target: bytes.toString('latin1', methodEnd + 1, targetEnd),
    isHttp10: version,
    fields,
    framing,
    isKeepAlive: keepsAlive(version, connection),
    expectsContinue: !version && fields.get('expect')?.toLowerCase() === '100-continue',
    upgrade: connection.includes('upgrade') ? fields.get('upgrade')?.toLowerCase() : undefined,
    size: end - from,
  };
}

/** The response head at `from`, to a request of `method`. As strict as `parseRequestHead`. */
export function parseResponseHead(
  bytes: Buffer,
  from: number,
  method: string,
  limits: HeadLimits = HEAD_LIMITS,
): Head<ResponseHead> {
  const end = headEnd(bytes, from, limits);
  if (typeof end !== 'number') return end;
  const lineEnd = bytes.indexOf(CR, from);
  if (bytes[lineEnd + 1] !== LF) return refused(400, 'bare CR');
  const version = versionAt(bytes, from, Math.min(from + 8, lineEnd));
  if (typeof version !== 'boolean') return version;
  const status = statusAt(bytes, from + 8, lineEnd);
  if (status === undefined) return refused(400, 'bad status line');
  const fields = parseFields(bytes, lineEnd + 2, end, limits);
  if ('kind' in fields) return fields;
  const framing = responseFraming(fields, status, method, version);
  if (framing.kind === 'refused') return framing;
  const isKept = keepsAlive(version, connectionOptions(fields));
  return {
    kind: 'response',
    status,
    isHttp10: version,
    fields,
    framing,
    isKeepAlive: isKept && framing.kind !== 'until-close',
    size: end - from,
  };
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
  const fields = parseFields(bytes, from, end, limits);
  return 'kind' in fields ? fields : { fields, size: end - from };
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

/** Field lines of `[from, end)`, `end` past the empty line. */
function parseFields(
  bytes: Buffer,
  from: number,
  end: number,
  limits: HeadLimits,
): HeaderFields | Refused {
  const fields = new HeaderFields();
  // Names are parts of one text: they live as long as the request. Values may be kept for longer (a
  // limit's key), and a long part of a text keeps the whole of it, so they are texts of their own.
  const text = bytes.toString('latin1', from, end);
  let at = from;
  while (at < end - 2) {
    const lineStart = at;
    // obs-fold and space before the colon fall out here: neither SP nor HTAB is a token character.
    while (TOKEN[bytes[at] ?? 0] === 1) at += 1;
    if (bytes[at] !== COLON || at === lineStart) return refused(400, 'bad field name');
    const name = text.slice(lineStart - from, at - from);
    at += 1;
    while (bytes[at] === SPACE || bytes[at] === TAB) at += 1;
    const valueStart = at;
    while (FIELD_VALUE[bytes[at] ?? 0] === 1) at += 1;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return refused(400, 'bad field value');
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd -= 1;
    at += 2;
    if (at - lineStart > limits.lineBytesMax) return refused(431, 'field line too long');
    if (fields.names.length >= limits.fieldsMax) return refused(431, 'too many fields');
    const value =
      valueEnd - valueStart <= COPIED_PART_MAX
        ? text.slice(valueStart - from, valueEnd - from)
        : bytes.toString('latin1', valueStart, valueEnd);
    fields.push(name, fieldKey(name), value);
  }
  return fields;
}

/** Parts of a text up to this size are copies. Source: V8, `SlicedString::kMinLength` is 13. */
const COPIED_PART_MAX = 12;
/** Spellings of field names that were seen; past it a new spelling costs a little more. */
const SPELLINGS_MAX = 1_024;
const SPELLING_SIZE_MAX = 64;
const keys = new Map<string, string>();

/** A field name in lower case: each spelling is made into its key once. */
function fieldKey(name: string): string {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = name.toLowerCase();
  // A copy of its own, so that no whole head is kept alive by a name in it.
  if (keys.size < SPELLINGS_MAX && name.length <= SPELLING_SIZE_MAX) {
    keys.set(Buffer.from(name, 'latin1').toString('latin1'), key);
  }
  return key;
}

function requestFraming(fields: HeaderFields, isHttp10: boolean): Framing | Refused {
  const hasCoding = fields.has('transfer-encoding');
  const length = fields.has('content-length') ? contentLength(fields) : undefined;
  if (typeof length === 'object') return length;
  if (!hasCoding) return length === undefined ? NO_BODY : lengthFraming(length);
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
  const length = fields.has('content-length') ? contentLength(fields) : undefined;
  if (typeof length === 'object') return length;
  if (fields.has('transfer-encoding')) {
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

/** Exactly one field of 1 to 15 digits: no sign, no list, no second copy (below 2^53). */
function contentLength(fields: HeaderFields): number | Refused {
  const only = fields.get('content-length') ?? '';
  if (fields.count('content-length') > 1) return refused(400, 'more than one Content-Length');
  return /^\d{1,15}$/.test(only) ? Number(only) : refused(400, 'bad Content-Length');
}

/** Options that are no names of fields to be taken out, or of fields that are written anew. */
const OPTIONS: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'te']);
/** Fields that frame or route a message: no client may call them its connection's own. */
const FOR_ALL: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding']);
const NO_OPTIONS: readonly string[] = [];
/** What nearly all messages say. */
const USUAL_OPTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['keep-alive', ['keep-alive']],
  ['Keep-Alive', ['keep-alive']],
  ['close', ['close']],
]);

/** Options of `Connection`, in lower case. */
export function connectionOptions(fields: HeaderFields): readonly string[] {
  const value = fields.joined('connection');
  if (value === undefined) return NO_OPTIONS;
  const known = USUAL_OPTIONS.get(value);
  if (known !== undefined) return known;
  return value
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
}

function keepsAlive(isHttp10: boolean, options: readonly string[]): boolean {
  if (options.includes('close')) return false;
  return !isHttp10 || options.includes('keep-alive');
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

function isBlank(code: number | undefined): boolean {
  return code === SPACE || code === TAB;
}

function refused(status: Refused['status'], reason: string): Refused {
  return { kind: 'refused', status, reason };
}
