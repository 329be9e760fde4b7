import { randomFillSync } from 'node:crypto';
import { createProtoWriter, type ProtoWriter, readRecords } from '@thalweg/wire';
import { type OtlpSpanShape, shopTrace } from './otlp-shop.ts';

/** Export requests of several services with the two ends of the same calls, made new in place. */
export interface OtlpGroup {
  /** One body for each service. */
  readonly bodies: readonly Buffer[];
  readonly spans: number;
  /** Puts in new trace and span ids, and times that end now: no two rows are alike. */
  renew(nowMs: number): void;
}

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
/** Where a span's ids stand: each behind its tag and length, the parent's only when there is one. */
const TRACE_ID_AT = 2;
const SPAN_ID_AT = TRACE_ID_AT + TRACE_BYTES + 2;
const PARENT_ID_AT = SPAN_ID_AT + SPAN_BYTES + 2;
/** Then its two times, each behind its tag. */
const TIMES_AT_ROOT = SPAN_ID_AT + SPAN_BYTES;
const TIMES_AT = PARENT_ID_AT + SPAN_BYTES;
const TIME_BYTES = 1 + 8;
/** The traces of a group began within that time. */
const WITHIN_MS = 400;

/** A span's place: in which body, at which byte, and what its ids and times are made of. */
interface Place {
  readonly body: Buffer;
  readonly at: number;
  readonly trace: number;
  readonly span: number;
  /** -1: a root. */
  readonly parent: number;
  readonly startUs: number;
  readonly endUs: number;
}

/** `seed` decides all but ids and times. Spans stand in the order of their ends, as an SDK sends them. */
export function otlpGroup(traces: number, seed: number): OtlpGroup {
  const random = generator(seed);
  const all: { span: OtlpSpanShape; trace: number; number: number; first: number }[] = [];
  for (let trace = 0; trace < traces; trace += 1) {
    const first = all.length;
    const offsetUs = Math.floor(random() * WITHIN_MS * 1e3);
    for (const span of shopTrace(random, offsetUs)) {
      all.push({ span, trace, number: all.length, first });
    }
  }
  all.sort((one, other) => one.span.endUs - other.span.endUs);
  const services = [...new Set(all.map(({ span }) => span.service))];
  const places: Place[] = [];
  const bodies = services.map((service) => {
    const own = all.filter(({ span }) => span.service === service);
    const body = bodyOf(
      service,
      own.map(({ span }) => span),
      random,
    );
    const starts = spanStarts(body);
    own.forEach(({ span, trace, number, first }, index) => {
      const parent = span.parent < 0 ? -1 : first + span.parent;
      const { startUs, endUs } = span;
      places.push({ body, at: starts[index] ?? 0, trace, span: number, parent, startUs, endUs });
    });
    return body;
  });
  const ids = Buffer.alloc(traces * TRACE_BYTES + all.length * SPAN_BYTES);
  const spansAt = traces * TRACE_BYTES;
  const lastUs = places.reduce((last, { endUs }) => Math.max(last, endUs), 0);
  return {
    bodies,
    spans: all.length,
    renew: (nowMs) => {
      randomFillSync(ids);
      for (const place of places) renewSpan(place, ids, spansAt, nowMs * 1e3 - lastUs);
    },
  };
}

function renewSpan(place: Place, ids: Buffer, spansAt: number, originUs: number): void {
  const { body, at, trace, span, parent, startUs, endUs } = place;
  body.set(ids.subarray(trace * TRACE_BYTES, (trace + 1) * TRACE_BYTES), at + TRACE_ID_AT);
  const spanAt = spansAt + span * SPAN_BYTES;
  body.set(ids.subarray(spanAt, spanAt + SPAN_BYTES), at + SPAN_ID_AT);
  if (parent >= 0) {
    const parentAt = spansAt + parent * SPAN_BYTES;
    body.set(ids.subarray(parentAt, parentAt + SPAN_BYTES), at + PARENT_ID_AT);
  }
  const timesAt = at + (parent < 0 ? TIMES_AT_ROOT : TIMES_AT);
  writeNanos(body, timesAt + 1, originUs + startUs);
  writeNanos(body, timesAt + TIME_BYTES + 1, originUs + endUs);
}

/** Microseconds as the nanoseconds of a fixed64: a bigint for each would cost the bench its CPU. */
function writeNanos(body: Buffer, at: number, us: number): void {
  const thousands = Math.floor(us / 2 ** 32) * 1e3;
  const low = (us % 2 ** 32) * 1e3;
  body.writeUInt32LE(low % 2 ** 32, at);
  body.writeUInt32LE(thousands + Math.floor(low / 2 ** 32), at + 4);
}

function bodyOf(service: string, spans: readonly OtlpSpanShape[], random: () => number): Buffer {
  const writer = createProtoWriter();
  const instance = Math.floor(random() * 3);
  writer.messageField(1, () => {
    writer.messageField(1, () => {
      attribute(writer, 1, 'service.name', service);
      attribute(writer, 1, 'service.namespace', 'shop');
      attribute(writer, 1, 'service.version', '2.14.1');
      attribute(writer, 1, 'service.instance.id', `${service}-7d9f8b6c54-${instance}`);
      attribute(writer, 1, 'telemetry.sdk.language', 'nodejs');
      attribute(writer, 1, 'telemetry.sdk.version', '2.2.0');
      attribute(writer, 1, 'host.name', `node-${instance}`);
      attribute(writer, 1, 'k8s.pod.name', `${service}-7d9f8b6c54-${instance}`);
      attribute(writer, 1, 'k8s.namespace.name', 'shop');
      attribute(writer, 1, 'process.pid', 1 + instance);
    });
    writer.messageField(2, () => {
      writer.messageField(1, () => writer.textField(1, '@opentelemetry/instrumentation-http'));
      for (const span of spans) writer.bytesField(2, spanBytes(span));
    });
  });
  return Buffer.from(writer.finish());
}

function spanStarts(body: Buffer): number[] {
  const starts: number[] = [];
  readRecords(body, {
    resource: () => undefined,
    scope: () => undefined,
    item: (cursor) => {
      starts.push(cursor.at);
    },
  });
  return starts;
}

/** Ids and times first, at places that are known, then the rest. */
function spanBytes(span: OtlpSpanShape): Uint8Array {
  const timesAt = span.parent < 0 ? TIMES_AT_ROOT : TIMES_AT;
  const head = Buffer.alloc(timesAt + 2 * TIME_BYTES);
  head.set([0x0a, TRACE_BYTES]);
  head.set([0x12, SPAN_BYTES], SPAN_ID_AT - 2);
  if (span.parent >= 0) head.set([0x22, SPAN_BYTES], PARENT_ID_AT - 2);
  head[timesAt] = 0x39;
  head[timesAt + TIME_BYTES] = 0x41;
  const writer = createProtoWriter();
  writer.textField(5, span.name);
  writer.varintField(6, span.kind);
  for (const [key, value] of span.attributes) attribute(writer, 9, key, value);
  if (span.exception !== '') {
    writer.messageField(11, () => {
      writer.fixed64Field(1, 1n);
      writer.textField(2, 'exception');
      attribute(writer, 3, 'exception.type', 'Error');
      attribute(writer, 3, 'exception.message', span.exception);
    });
    writer.messageField(15, () => writer.varintField(3, 2));
  }
  return Buffer.concat([head, writer.finish()]);
}
function attribute(writer: ProtoWriter, field: number, key: string, value: string | number): void {
  writer.messageField(field, () => {
    writer.textField(1, key);
    writer.messageField(2, () => {
      if (typeof value === 'number') writer.signedField(3, value, true);
      else writer.textField(1, value, true);
    });
  });
}

/** Deterministic, in [0, 1). Mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
