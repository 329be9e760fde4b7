import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProtoWriter, type ProtoWriter } from '../protobuf/writer.ts';
import { decodeSkywalkingJson } from './json.ts';
import { decodeSegment, decodeSegmentCollection } from './proto.ts';
import { LAYERS, type SkywalkingSegment, type SkywalkingTag, SPAN_TYPES } from './segment.ts';

const encoder = new TextEncoder();
const text = fc.string({ maxLength: 12 });
const id = fc.string({ minLength: 1, maxLength: 20 });
const tags = fc.array(fc.tuple(text, text), { maxLength: 3 });
const ms = fc.integer({ min: 1, max: 2 ** 42 });
const segment: fc.Arbitrary<SkywalkingSegment> = fc.record({
  traceId: id,
  segmentId: id,
  service: text,
  instance: text,
  spans: fc.array(
    fc
      .record({
        index: fc.nat(1_000),
        parentIndex: fc.integer({ min: -1, max: 1_000 }),
        startMs: ms,
        endMs: ms,
        references: fc.array(
          fc.record({
            isCrossThread: fc.boolean(),
            traceId: text,
            parentSegmentId: text,
            parentSpanIndex: fc.nat(100),
            parentService: text,
            parentInstance: text,
            parentEndpoint: text,
            peer: text,
          }),
          { maxLength: 2 },
        ),
        operationName: text,
        peer: text,
        type: fc.constantFrom(...SPAN_TYPES),
        layer: fc.constantFrom(...LAYERS),
        componentId: fc.nat(10_000),
        isError: fc.boolean(),
        tags,
        logs: fc.array(fc.record({ timeMs: ms, data: tags }), { maxLength: 2 }),
      })
      .map((span) => ({ ...span, endMs: span.startMs + span.endMs })),
    { minLength: 1, maxLength: 3 },
  ),
});

const pairs = (list: readonly SkywalkingTag[]): unknown =>
  list.map(([key, value]) => ({ key, value }));

function toJson(one: SkywalkingSegment): unknown {
  return {
    traceId: one.traceId,
    traceSegmentId: one.segmentId,
    service: one.service,
    serviceInstance: one.instance,
    spans: one.spans.map((span) => ({
      spanId: span.index,
      parentSpanId: span.parentIndex,
      startTime: span.startMs,
      endTime: String(span.endMs),
      refs: span.references.map((reference) => ({
        refType: reference.isCrossThread ? 'CrossThread' : 'CrossProcess',
        traceId: reference.traceId,
        parentTraceSegmentId: reference.parentSegmentId,
        parentSpanId: reference.parentSpanIndex,
        parentService: reference.parentService,
        parentServiceInstance: reference.parentInstance,
        parentEndpoint: reference.parentEndpoint,
        networkAddressUsedAtPeer: reference.peer,
      })),
      operationName: span.operationName,
      peer: span.peer,
      spanType: span.type,
      spanLayer: span.layer,
      componentId: span.componentId,
      isError: span.isError,
      tags: pairs(span.tags),
      logs: span.logs.map(({ timeMs, data }) => ({ time: timeMs, data: pairs(data) })),
    })),
  };
}

function writePairs(writer: ProtoWriter, field: number, list: readonly SkywalkingTag[]): void {
  for (const [key, value] of list) {
    writer.messageField(field, () => {
      writer.textField(1, key);
      writer.textField(2, value);
    });
  }
}

function writeSegment(writer: ProtoWriter, one: SkywalkingSegment): void {
  writer.textField(5, one.instance);
  for (const span of one.spans) {
    writer.messageField(3, () => {
      writer.signedField(1, span.index);
      writer.signedField(2, span.parentIndex);
      writer.signedField(3, span.startMs);
      writer.signedField(4, span.endMs);
      for (const reference of span.references) {
        writer.messageField(5, () => {
          writer.varintField(1, reference.isCrossThread ? 1 : 0);
          writer.textField(2, reference.traceId);
          writer.textField(3, reference.parentSegmentId);
          writer.signedField(4, reference.parentSpanIndex);
          writer.textField(5, reference.parentService);
          writer.textField(6, reference.parentInstance);
          writer.textField(7, reference.parentEndpoint);
          writer.textField(8, reference.peer);
        });
      }
      writer.textField(6, span.operationName);
      writer.textField(7, span.peer);
      writer.varintField(8, SPAN_TYPES.indexOf(span.type));
      writer.varintField(9, LAYERS.indexOf(span.layer));
      writer.signedField(10, span.componentId);
      writer.varintField(11, span.isError ? 1 : 0);
      writePairs(writer, 12, span.tags);
      for (const { timeMs, data } of span.logs) {
        writer.messageField(13, () => {
          writer.signedField(1, timeMs);
          writePairs(writer, 2, data);
        });
      }
      writer.varintField(14, 1);
    });
  }
  writer.textField(1, one.traceId);
  writer.textField(2, one.segmentId);
  writer.textField(4, one.service);
}

const kept = (items: readonly SkywalkingSegment[]): unknown => ({
  kind: 'decoded',
  value: { items, refused: 0, firstRefusal: undefined },
});

test('JSON, the stream and the collection of the same segments decode to the same', () => {
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 2 }), (segments) => {
      const json = encoder.encode(JSON.stringify(segments.map(toJson)));
      expect(decodeSkywalkingJson(json)).toEqual(kept(segments));
      const writer = createProtoWriter();
      for (const one of segments) writer.messageField(1, () => writeSegment(writer, one));
      expect(decodeSegmentCollection(writer.finish())).toEqual(kept(segments));
      const [first] = segments;
      if (first === undefined) return;
      const single = createProtoWriter();
      writeSegment(single, first);
      expect(decodeSegment(single.finish())).toEqual(kept([first]));
      const lone = encoder.encode(JSON.stringify(toJson(first)));
      expect(decodeSkywalkingJson(lone)).toEqual(kept([first]));
    }),
    { seed: 41 },
  );
});

const SPAN = { spanId: 0, parentSpanId: -1, spanType: 'Entry', startTime: 5, endTime: 6 };
const GOOD = { traceId: 't', traceSegmentId: 's', spans: [SPAN] };

test.each([
  { name: 'no trace id', bad: { ...GOOD, traceId: '' }, reason: 'traceId is missing' },
  { name: 'no id', bad: { ...GOOD, traceSegmentId: 7 }, reason: 'traceSegmentId is missing' },
  { name: 'no spans', bad: { ...GOOD, spans: [] }, reason: 'no spans' },
  {
    name: 'a span that ends before it starts',
    bad: { ...GOOD, spans: [{ ...SPAN, endTime: 4 }] },
    reason: 'span 0: spanId is negative, or it ends before it starts',
  },
  { name: 'no object', bad: [], reason: 'a segment is an object' },
])('a segment with $name is refused by itself', ({ bad, reason }) => {
  const answer = decodeSkywalkingJson(encoder.encode(JSON.stringify([GOOD, bad])));
  expect(answer).toMatchObject({
    value: { items: [{ segmentId: 's' }], refused: 1, firstRefusal: { at: 1, reason } },
  });
});

test('never throws on arbitrary bytes, and refuses every truncation of a segment', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      decodeSegment(bytes);
      decodeSegmentCollection(bytes);
      decodeSkywalkingJson(bytes);
    }),
    { seed: 42, numRuns: 1_000 },
  );
  const [one] = fc.sample(segment, { numRuns: 1, seed: 43 });
  if (one === undefined) throw new Error('no sample');
  const writer = createProtoWriter();
  writer.messageField(1, () => writeSegment(writer, one));
  const bytes = writer.finish();
  for (let size = 1; size < bytes.length; size += 1) {
    expect(decodeSegmentCollection(bytes.subarray(0, size)).kind).toBe('invalid');
  }
});
