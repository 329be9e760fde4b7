// The trace signal, written. Source: opentelemetry-proto, trace/v1/trace.proto.
//
// A message is built as text whose characters are its octets: to join short texts, many of them made
// once and kept, costs a fraction of what writing each field into an array does (a span of a request
// has some twenty attributes).

/** Octets, a character each (latin1). */
export type OctetText = string;
/** A number is written as an integer where it is one, else as a double. */
export type AttributeValue = string | number | boolean;
/** In the order they are written. */
export type WrittenAttributes = readonly (readonly [string, AttributeValue])[];

export interface SpanToWrite {
  /** 16 octets. */
  readonly traceId: OctetText;
  /** 8 octets. */
  readonly spanId: OctetText;
  /** As `spanId`; empty for a root. */
  readonly parentSpanId: OctetText;
  readonly traceState: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** Unix milliseconds, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  /** What attributes were written as, one after the other. */
  readonly attributes: OctetText;
  /** Empty: the status is unset; else it is an error with this message. */
  readonly error: string;
}

const SPANS = 2;
const SPAN_ATTRIBUTES = 9;
const STATUS_ERROR = 2;
const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
/** Microseconds are split here, so that each half times 1,000 stays exact. */
const SPLIT = 2 ** 20;
const encoder = new TextEncoder();
const CHARACTERS: readonly string[] = Array.from({ length: 256 }, (_, code) =>
  String.fromCharCode(code),
);

/** UTF-8 of `text`. */
function utf8Octets(text: string): OctetText {
  return /[\x80-\uffff]/.test(text) ? textOf(encoder.encode(text)) : text;
}

/** Of pairs of hexadecimal digits, in lower case. */
export function hexOctets(hex: string): OctetText {
  let text = '';
  for (let i = 0; i < hex.length; i += 2) {
    text += CHARACTERS[digit(hex.charCodeAt(i)) * 16 + digit(hex.charCodeAt(i + 1))];
  }
  return text;
}

/** Writes attributes of one key as fields of a span. */
export function spanAttribute(key: string): (value: AttributeValue) => OctetText {
  return attribute(SPAN_ATTRIBUTES, key);
}

/** One span as a field of its scope: `tracesRequest` takes what is gathered so. */
export function spanOctets(span: SpanToWrite): OctetText {
  const { parentSpanId, traceState, name, attributes, error } = span;
  return message(
    SPANS,
    message(1, span.traceId) +
      message(2, span.spanId) +
      (traceState === '' ? '' : message(3, utf8Octets(traceState))) +
      (parentSpanId === '' ? '' : message(4, parentSpanId)) +
      (name === '' ? '' : message(5, utf8Octets(name))) +
      tag(6, WIRE_VARINT) +
      varint(span.kind) +
      time(7, span.startMs) +
      time(8, span.endMs) +
      attributes +
      (error === ''
        ? ''
        : message(15, message(2, utf8Octets(error)) + tag(3, WIRE_VARINT) + varint(STATUS_ERROR))),
  );
}

/** An ExportTraceServiceRequest of one resource and one scope, with spans that `spanOctets` made. */
export function tracesRequest(
  resource: WrittenAttributes,
  scope: { readonly name: string; readonly version: string },
  spans: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const spansBytes = spans.reduce((sum, { length }) => sum + length, 0);
  const about = message(
    1,
    (scope.name === '' ? '' : message(1, utf8Octets(scope.name))) +
      (scope.version === '' ? '' : message(2, utf8Octets(scope.version))),
  );
  const scopeSpans = tag(2, WIRE_LENGTH) + varint(about.length + spansBytes) + about;
  const attributes = resource.map(([key, value]) => attribute(1, key)(value)).join('');
  const inner = message(1, attributes) + scopeSpans;
  const start = tag(1, WIRE_LENGTH) + varint(inner.length + spansBytes) + inner;
  const bytes = new Uint8Array(start.length + spansBytes);
  for (let i = 0; i < start.length; i += 1) bytes[i] = start.charCodeAt(i);
  let at = start.length;
  for (const one of spans) {
    bytes.set(one, at);
    at += one.length;
  }
  return bytes;
}

function attribute(field: number, key: string): (value: AttributeValue) => OctetText {
  const written = message(1, utf8Octets(key));
  return (value) => message(field, written + message(2, anyValue(value)));
}

/** An AnyValue: what it is set to is written even where it is a default. */
function anyValue(value: AttributeValue): OctetText {
  if (typeof value === 'string') return message(1, utf8Octets(value));
  if (typeof value === 'boolean') return tag(2, WIRE_VARINT) + varint(Number(value));
  if (Number.isSafeInteger(value)) return tag(3, WIRE_VARINT) + signedVarint(value);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return tag(4, WIRE_FIXED64) + textOf(bytes);
}

/** Of 0-9 and a-f. */
function digit(code: number): number {
  return code < 0x40 ? code - 0x30 : code - 0x57;
}

function textOf(bytes: Uint8Array): OctetText {
  let text = '';
  for (const byte of bytes) text += CHARACTERS[byte];
  return text;
}

function tag(field: number, wireType: number): OctetText {
  return varint(field * 8 + wireType);
}

function message(field: number, octets: OctetText): OctetText {
  return tag(field, WIRE_LENGTH) + varint(octets.length) + octets;
}

function varint(value: number): OctetText {
  let text = '';
  let rest = value;
  while (rest >= 0x80) {
    text += CHARACTERS[(rest % 128) | 0x80];
    rest = Math.floor(rest / 128);
  }
  return text + CHARACTERS[rest];
}

/** Negative ones take ten octets. */
function signedVarint(value: number): OctetText {
  if (value >= 0) return varint(value);
  let text = '';
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    text += CHARACTERS[Number(rest & 0x7fn) | 0x80];
    rest >>= 7n;
  }
  return text + CHARACTERS[Number(rest)];
}

/**
 * Nanoseconds from milliseconds, to the microsecond, which is what a double holds of the time of day.
 * In two halves, since the product of 1,000 and microseconds passes 2^53.
 */
function time(field: number, ms: number): OctetText {
  const micros = Math.round(ms * 1e3);
  if (micros === 0) return '';
  const upper = Math.floor(micros / SPLIT);
  const lowerNs = (micros - upper * SPLIT) * 1e3; // Below 2^30.
  const upperNs = upper * 1e3; // In units of 2^20 ns; below 2^42 until the year 2100.
  const sum = (upperNs % 2 ** 12) * SPLIT + lowerNs; // The low 32 bits and what they carry.
  const low = sum % 2 ** 32;
  const high = Math.floor(upperNs / 2 ** 12) + Math.floor(sum / 2 ** 32);
  return (
    tag(field, WIRE_FIXED64) +
    String.fromCharCode(
      low & 0xff,
      (low >>> 8) & 0xff,
      (low >>> 16) & 0xff,
      low >>> 24,
      high & 0xff,
      (high >>> 8) & 0xff,
      (high >>> 16) & 0xff,
      high >>> 24,
    )
  );
}
