import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRecords } from './records.ts';
import { createSpan, nanoText, readSpan } from './span.ts';
import { hexOctets, spanAttribute, spanOctets, tracesRequest } from './span-writer.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const BASE = {
  traceId: hexOctets(TRACE_ID),
  spanId: hexOctets(SPAN_ID),
  parentSpanId: '',
  traceState: '',
  name: 'GET /orders/*',
  kind: 2,
  startMs: 0,
  endMs: 0,
  attributes: '',
  error: '',
};
const decoder = new TextDecoder();

const spanBytes = (span: Parameters<typeof spanOctets>[0]) =>
  Buffer.from(spanOctets(span), 'latin1');

/** What a reader finds: the spans, the resource's keys, and the first fault. */
function readBack(bytes: Uint8Array) {
  const span = createSpan();
  const found: object[] = [];
  const resourceKeys: string[] = [];
  const fault = readRecords(bytes, {
    resource(list) {
      for (let i = 0; i < list.count; i += 1) {
        resourceKeys.push(decoder.decode(bytes.subarray(list.keyFrom[i], list.keyTo[i])));
      }
    },
    scope: () => undefined,
    item(cursor) {
      readSpan(cursor, span);
      const text = ({ from, to }: { from: number; to: number }) =>
        decoder.decode(bytes.subarray(from, to));
      const hex = ({ from, to }: { from: number; to: number }) =>
        [...bytes.subarray(from, to)].map((b) => b.toString(16).padStart(2, '0')).join('');
      found.push({
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId),
        name: text(span.name),
        kind: span.kind,
        start: nanoText(span.start),
        end: nanoText(span.end),
        attributeCount: span.attributes.count,
        statusCode: span.statusCode,
        statusMessage: text(span.statusMessage),
      });
    },
  });
  return { fault, found, resourceKeys };
}

test('a written span is read back as it was', () => {
  const attributes: readonly [string, string | number | boolean][] = [
    ['text', 'é'],
    ['long', 'x'.repeat(300)],
    ['int', -1],
    ['large', 2 ** 40],
    ['double', 0.5],
    ['bool', false],
  ];
  const written = spanBytes({
    ...BASE,
    parentSpanId: hexOctets('00f067aa0ba902b7'),
    name: 'GET /Zürich',
    startMs: 1_795_344_290_491.731,
    endMs: 1_795_344_290_504.816,
    attributes: attributes.map(([key, value]) => spanAttribute(key)(value)).join(''),
    error: 'upstream error: 500',
  });
  const bytes = tracesRequest([['service.name', 'APISIX']], { name: 's', version: '1' }, [
    written,
    written,
  ]);
  const span = {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    parentSpanId: '00f067aa0ba902b7',
    name: 'GET /Zürich',
    kind: 2,
    start: '1795344290491731000',
    end: '1795344290504816000',
    attributeCount: 6,
    statusCode: 2,
    statusMessage: 'upstream error: 500',
  };
  expect(readBack(bytes)).toEqual({
    fault: '',
    found: [span, span],
    resourceKeys: ['service.name'],
  });
});

test('every microsecond until 2200 is written exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7_258_118_400_000_000 }), (micros) => {
      const written = spanBytes({ ...BASE, startMs: micros / 1e3 });
      const { found } = readBack(tracesRequest([], { name: '', version: '' }, [written]));
      const exact = BigInt(Math.round((micros / 1e3) * 1e3)) * 1000n;
      expect(found).toMatchObject([{ start: String(exact) }]);
    }),
    { seed: 5 },
  );
});
