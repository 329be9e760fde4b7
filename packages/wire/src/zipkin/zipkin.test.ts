import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProtoWriter } from '../protobuf/writer.ts';
import { decodeZipkinJson } from './json.ts';
import { decodeZipkinProto } from './proto.ts';
import type { ZipkinSpan } from './span.ts';

const encoder = new TextEncoder();
const json = (value: unknown) => decodeZipkinJson(encoder.encode(JSON.stringify(value)));

const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((id) => !/^0+$/.test(id));
const endpoint = fc.record({
  serviceName: fc.string({ maxLength: 8 }),
  ip: fc.constantFrom('', '10.0.0.1', '2001:db8::1', '::1'),
  port: fc.integer({ min: 0, max: 65_535 }),
});
const span: fc.Arbitrary<ZipkinSpan> = fc
  .record({
    traceId: fc.oneof(hex(16), hex(32)),
    id: hex(16),
    parentId: fc.oneof(fc.constant(''), hex(16)),
    kind: fc.constantFrom(undefined, 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER') as fc.Arbitrary<
      ZipkinSpan['kind']
    >,
    name: fc.string({ maxLength: 12 }),
    timestampUs: fc.integer({ min: 0, max: 2 ** 52 }),
    durationUs: fc.integer({ min: 0, max: 2 ** 40 }),
    local: endpoint,
    remote: endpoint,
    annotations: fc.array(
      fc.record({ timestampUs: fc.integer({ min: 0, max: 2 ** 52 }), value: fc.string() }),
      { maxLength: 3 },
    ),
    tags: fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.string()), {
      maxLength: 3,
      selector: ([name]) => name,
    }),
    isShared: fc.boolean(),
    isDebug: fc.boolean(),
  })
  .filter(({ id, parentId }) => id !== parentId);

function toJson(one: ZipkinSpan): unknown {
  const end = ({ serviceName, ip, port }: ZipkinSpan['local']): unknown => ({
    serviceName,
    port,
    ...(ip.includes(':') ? { ipv6: ip } : { ipv4: ip }),
  });
  return {
    traceId: one.traceId,
    id: one.id,
    ...(one.parentId === '' ? {} : { parentId: one.parentId }),
    kind: one.kind,
    name: one.name,
    timestamp: one.timestampUs,
    duration: one.durationUs,
    localEndpoint: end(one.local),
    remoteEndpoint: end(one.remote),
    annotations: one.annotations.map(({ timestampUs, value }) => ({
      timestamp: timestampUs,
      value,
    })),
    tags: Object.fromEntries(one.tags),
    shared: one.isShared,
    debug: one.isDebug,
  };
}

function toProto(spans: readonly ZipkinSpan[]): Uint8Array {
  const writer = createProtoWriter();
  const end = (field: number, { serviceName, ip, port }: ZipkinSpan['local']): void =>
    writer.messageField(field, () => {
      writer.textField(1, serviceName);
      writer.bytesField(ip.includes(':') ? 3 : 2, addressBytes(ip));
      writer.varintField(4, port);
    });
  for (const one of spans) {
    writer.messageField(1, () => {
      // Not in the order of their numbers: no decoder may rely on it.
      for (const [name, value] of one.tags) {
        writer.messageField(11, () => {
          writer.textField(2, value);
          writer.textField(1, name);
        });
      }
      writer.bytesField(1, bytesOf(one.traceId));
      writer.bytesField(3, bytesOf(one.id));
      writer.bytesField(2, bytesOf(one.parentId));
      const kinds = [undefined, 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'];
      writer.varintField(4, kinds.indexOf(one.kind));
      writer.textField(5, one.name);
      writer.fixed64Field(6, BigInt(one.timestampUs));
      writer.varintField(7, one.durationUs);
      end(8, one.local);
      end(9, one.remote);
      for (const { timestampUs, value } of one.annotations) {
        writer.messageField(10, () => {
          writer.fixed64Field(1, BigInt(timestampUs));
          writer.textField(2, value);
        });
      }
      writer.varintField(12, one.isDebug ? 1 : 0);
      writer.varintField(13, one.isShared ? 1 : 0);
    });
  }
  return writer.finish();
}

const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

function addressBytes(ip: string): Uint8Array {
  if (ip === '') return new Uint8Array();
  if (!ip.includes(':')) return Uint8Array.from(ip.split('.'), Number);
  const [head = '', tail = ''] = ip.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

const kept = (items: readonly ZipkinSpan[]): unknown => ({
  kind: 'decoded',
  value: { items, refused: 0, firstRefusal: undefined },
});

test('JSON and protobuf of the same spans decode to the same', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 3 }), (spans) => {
      expect(json(spans.map(toJson))).toEqual(kept(spans));
      expect(decodeZipkinProto(toProto(spans))).toEqual(kept(spans));
    }),
    { seed: 21 },
  );
});

const GOOD = { traceId: '26d005f55f654be96c91429e2d0cc7f8', id: '6eceae953be978c6' };

test.each([
  { name: 'no trace id', span: { id: GOOD.id }, reason: /^traceId/ },
  { name: 'a trace id that is no hex', span: { ...GOOD, traceId: 'xyz' }, reason: /^traceId/ },
  {
    name: 'a trace id of zeros',
    span: { ...GOOD, traceId: '0000000000000000' },
    reason: /^traceId/,
  },
  { name: 'an id too long', span: { ...GOOD, id: GOOD.traceId }, reason: /^id/ },
  { name: 'a parent that is no hex', span: { ...GOOD, parentId: '-' }, reason: /^parentId/ },
  { name: 'a time that is text', span: { ...GOOD, timestamp: 'now' }, reason: /^timestamp/ },
  { name: 'a negative duration', span: { ...GOOD, duration: -1 }, reason: /^duration/ },
  { name: 'no object', span: 7, reason: /^a span is an object/ },
])('a span with $name is refused by itself', ({ span: bad, reason }) => {
  const answer = json([GOOD, bad, GOOD]);
  expect(answer).toMatchObject({
    kind: 'decoded',
    value: { refused: 1, firstRefusal: { at: 1, reason: expect.stringMatching(reason) } },
  });
  expect(answer.kind === 'decoded' && answer.value.items.length).toBe(2);
});

test('null endpoints and short ids, as gateways send them, are taken', () => {
  const answer = json([
    { traceId: 'ABC', id: '1', parentId: null, remoteEndpoint: null, tags: { n: 1 } },
  ]);
  expect(answer).toMatchObject({
    value: {
      items: [
        { traceId: '0000000000000abc', id: '0000000000000001', parentId: '', tags: [['n', '1']] },
      ],
    },
  });
});

test('every truncation of a body is refused, and none throws', () => {
  const [one] = fc.sample(span, { numRuns: 1, seed: 22 });
  if (one === undefined) throw new Error('no sample');
  const text = encoder.encode(JSON.stringify([toJson(one)]));
  for (let size = 0; size < text.length; size += 1) {
    expect(decodeZipkinJson(text.subarray(0, size)).kind).toBe('invalid');
  }
  const proto = toProto([one]);
  for (let size = 1; size < proto.length; size += 1) {
    expect(decodeZipkinProto(proto.subarray(0, size)).kind).toBe('invalid');
  }
});

test('never throws on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      decodeZipkinProto(bytes);
      decodeZipkinJson(bytes);
    }),
    { seed: 23, numRuns: 1_000 },
  );
});
