import { createProtoWriter, type ProtoWriter } from '@thalweg/wire';

/** A number without a fraction is a whole one. */
export type SpanAttribute = readonly [name: string, value: string | boolean | number | bigint];

export interface SpanEvent {
  readonly timeUs: number;
  readonly name: string;
  readonly attributes: readonly SpanAttribute[];
}

/** A span of another tracer, in OpenTelemetry's terms. Ids are bytes: binary, or a text's own. */
export interface ForeignSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  /** Empty for a root. */
  readonly parentSpanId: Uint8Array;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly startUs: number;
  readonly endUs: number;
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string;
  readonly attributes: readonly SpanAttribute[];
  readonly events: readonly SpanEvent[];
  /** Spans that it is related to, besides its parent. */
  readonly links?: readonly Pick<ForeignSpan, 'traceId' | 'spanId'>[];
}

/** The spans of one process. */
export interface SpanGroup {
  /** Attributes of the resource. */
  readonly resource: readonly SpanAttribute[];
  readonly scope: string;
  readonly spans: readonly ForeignSpan[];
}

const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
const STATUSES = { unset: 0, ok: 1, error: 2 } as const;

/**
 * The groups as an ExportTraceServiceRequest: foreign spans become rows by the same mapping as
 * OpenTelemetry's own. Source: opentelemetry-proto, trace/v1/trace.proto.
 */
export function encodeSpans(groups: readonly SpanGroup[]): Uint8Array {
  const writer = createProtoWriter();
  for (const { resource, scope, spans } of groups) {
    writer.messageField(1, () => {
      writer.messageField(1, () => writeAttributes(writer, 1, resource));
      writer.messageField(2, () => {
        writer.messageField(1, () => writer.textField(1, scope));
        for (const span of spans) writer.messageField(2, () => writeSpan(writer, span));
      });
    });
  }
  return writer.finish();
}

function writeSpan(writer: ProtoWriter, span: ForeignSpan): void {
  writer.bytesField(1, span.traceId);
  writer.bytesField(2, span.spanId);
  writer.bytesField(4, span.parentSpanId);
  writer.textField(5, span.name);
  writer.varintField(6, KINDS[span.kind]);
  writer.fixed64Field(7, nanos(span.startUs));
  writer.fixed64Field(8, nanos(span.endUs));
  writeAttributes(writer, 9, span.attributes);
  for (const { timeUs, name, attributes } of span.events) {
    writer.messageField(11, () => {
      writer.fixed64Field(1, nanos(timeUs));
      writer.textField(2, name);
      writeAttributes(writer, 3, attributes);
    });
  }
  for (const { traceId, spanId } of span.links ?? []) {
    writer.messageField(13, () => {
      writer.bytesField(1, traceId);
      writer.bytesField(2, spanId);
    });
  }
  writer.messageField(15, () => {
    writer.textField(2, span.statusMessage);
    writer.varintField(3, STATUSES[span.status]);
  });
}

function writeAttributes(
  writer: ProtoWriter,
  field: number,
  attributes: readonly SpanAttribute[],
): void {
  for (const [name, value] of attributes) {
    writer.messageField(field, () => {
      writer.textField(1, name);
      writer.messageField(2, () => writeValue(writer, value));
    });
  }
}

/** Zero, false and an empty text are values too: members of a oneof. */
function writeValue(writer: ProtoWriter, value: SpanAttribute[1]): void {
  if (typeof value === 'string') writer.textField(1, value, true);
  else if (typeof value === 'boolean') writer.varintField(2, value ? 1 : 0, true);
  else if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
    writer.signedField(3, value, true);
  } else writer.doubleField(4, value, true);
}

/** Of a number that is too large, the last nanosecond that fits. */
function nanos(us: number): bigint {
  const most = (1n << 63n) - 1n;
  const wide = BigInt(Math.trunc(us)) * 1_000n;
  return wide > most ? most : wide;
}
