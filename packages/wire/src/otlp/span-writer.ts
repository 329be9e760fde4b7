import { createProtoWriter, type ProtoWriter } from '../protobuf/writer.ts';

// The trace signal, written. Source: opentelemetry-proto, trace/v1/trace.proto.

/** A number is written as an integer where it is one, else as a double. */
export type AttributeValue = string | number | boolean;
/** In the order they are written. */
export type WrittenAttributes = readonly (readonly [string, AttributeValue])[];

export interface SpanToWrite {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** As `spanId`; empty for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** Unix milliseconds, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: WrittenAttributes;
  /** Empty: the status is unset; else it is an error with this message. */
  readonly error: string;
}

const SPANS = 2;
const STATUS_ERROR = 2;
/** Microseconds are split here, so that each half times 1,000 stays exact. */
const SPLIT = 2 ** 20;

/** Appends one span as a field of its scope: `tracesRequest` takes what is gathered so. */
export function writeSpan(writer: ProtoWriter, span: SpanToWrite): void {
  writer.messageField(SPANS, () => {
    writer.bytesField(1, fromHex(span.traceId));
    writer.bytesField(2, fromHex(span.spanId));
    writer.textField(3, span.traceState);
    if (span.parentSpanId !== '') writer.bytesField(4, fromHex(span.parentSpanId));
    writer.textField(5, span.name);
    writer.varintField(6, span.kind);
    writeTime(writer, 7, span.startMs);
    writeTime(writer, 8, span.endMs);
    for (const [key, value] of span.attributes) writeAttribute(writer, 9, key, value);
    if (span.error === '') return;
    writer.messageField(15, () => {
      writer.textField(2, span.error);
      writer.varintField(3, STATUS_ERROR);
    });
  });
}

/** An ExportTraceServiceRequest of one resource and one scope, with spans that `writeSpan` wrote. */
export function tracesRequest(
  resource: WrittenAttributes,
  scope: { readonly name: string; readonly version: string },
  spans: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const writer = createProtoWriter();
  writer.messageField(1, () => {
    writer.messageField(1, () => {
      for (const [key, value] of resource) writeAttribute(writer, 1, key, value);
    });
    writer.messageField(2, () => {
      writer.messageField(1, () => {
        writer.textField(1, scope.name);
        writer.textField(2, scope.version);
      });
      for (const one of spans) writer.encodedFields(one);
    });
  });
  return writer.finish();
}

function writeAttribute(
  writer: ProtoWriter,
  field: number,
  key: string,
  value: AttributeValue,
): void {
  writer.messageField(field, () => {
    writer.textField(1, key);
    writer.messageField(2, () => {
      if (typeof value === 'string') writer.textField(1, value, true);
      else if (typeof value === 'boolean') writer.varintField(2, Number(value), true);
      else if (Number.isSafeInteger(value)) writer.signedField(3, value, true);
      else writer.doubleField(4, value, true);
    });
  });
}

/**
 * Nanoseconds from milliseconds, to the microsecond, which is what a double holds of the time of day.
 * In two halves, since the product of 1,000 and microseconds passes 2^53.
 */
function writeTime(writer: ProtoWriter, field: number, ms: number): void {
  const micros = Math.round(ms * 1e3);
  const upper = Math.floor(micros / SPLIT);
  const lowerNs = (micros - upper * SPLIT) * 1e3; // Below 2^30.
  const upperNs = upper * 1e3; // In units of 2^20 ns; below 2^42 until the year 2100.
  const sum = (upperNs % 2 ** 12) * SPLIT + lowerNs; // The low 32 bits and what they carry.
  const low = sum % 2 ** 32;
  const high = Math.floor(upperNs / 2 ** 12) + Math.floor(sum / 2 ** 32);
  writer.doubleBitsField(field, low, high);
}

function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = digit(text.charCodeAt(2 * i)) * 16 + digit(text.charCodeAt(2 * i + 1));
  }
  return bytes;
}

/** Of 0-9 and a-f. */
function digit(code: number): number {
  return code < 0x40 ? code - 0x30 : code - 0x57;
}
