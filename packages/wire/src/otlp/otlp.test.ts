import { createRequire } from 'node:module';
import fc from 'fast-check';
import Long from 'long';
import { expect, test } from 'vitest';
import { type ProtoCursor, protoCursor, protoFault } from '../protobuf/reader.ts';
import { createTextDecoder } from '../text.ts';
import { anyValueJson, attributesJson } from './any-json.ts';
import { ANY_DEPTH_MAX, type AttributeList, type Range } from './any-value.ts';
import { otlpJsonToProtobuf } from './json.ts';
import { createLogRecord, readLogRecord } from './log-record.ts';
import { readRecords } from './records.ts';
import {
  createEvent,
  createLink,
  createSpan,
  nanoText,
  readEvent,
  readLink,
  readSpan,
} from './span.ts';

// OpenTelemetry's own definitions, read with protobufjs: the second opinion on every byte.
interface OfficialType {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  fromObject(object: object): object;
  toObject(message: object, options: object): object;
}
const require = createRequire(import.meta.url);
const generated = '@opentelemetry/otlp-transformer/build/src/generated/root.js';
// protobufjs looks for Long by require(), which finds its ES module here and gives up on 64 bits.
const protobuf = createRequire(require.resolve(generated))('protobufjs/minimal');
protobuf.util.Long = Long;
protobuf.configure();
const root = require(generated).opentelemetry.proto.collector;
const OFFICIAL: Readonly<Record<'traces' | 'logs' | 'metrics', OfficialType>> = {
  traces: root.trace.v1.ExportTraceServiceRequest,
  logs: root.logs.v1.ExportLogsServiceRequest,
  metrics: root.metrics.v1.ExportMetricsServiceRequest,
};
type Signal = keyof typeof OFFICIAL;

function officialBytes(signal: Signal, object: object): Uint8Array {
  const type = OFFICIAL[signal];
  return new Uint8Array(type.encode(type.fromObject(object)).finish());
}
function officialObject(signal: Signal, bytes: Uint8Array): object {
  const type = OFFICIAL[signal];
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, enums: Number });
}

const decode = createTextDecoder();
const decodeAll = (bytes: Uint8Array): string => decode(bytes, 0, bytes.length);

// What senders send, as protobufjs takes it.
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const id = (size: number) => fc.uint8Array({ minLength: 0, maxLength: size });
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant({}),
    fc.record({ stringValue: text }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: i64 }),
    fc.record({ doubleValue: fc.double() }),
    fc.record({ bytesValue: fc.uint8Array({ maxLength: 9 }) }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) }) }),
    fc.record({
      kvlistValue: fc.record({
        values: fc.array(fc.record({ key: text, value: tie('value') }), { maxLength: 3 }),
      }),
    }),
  ),
}));
const attributes = fc.array(fc.record({ key: text, value: anyValue }), { maxLength: 4 });
const some = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });
const span = fc.record(
  {
    traceId: id(16),
    spanId: id(8),
    traceState: text,
    parentSpanId: id(8),
    flags: u32,
    name: text,
    kind: fc.integer({ min: 0, max: 5 }),
    startTimeUnixNano: u64,
    endTimeUnixNano: u64,
    attributes,
    droppedAttributesCount: u32,
    events: some(fc.record({ timeUnixNano: u64, name: text, attributes })),
    droppedEventsCount: u32,
    links: some(fc.record({ traceId: id(16), spanId: id(8), traceState: text, attributes })),
    droppedLinksCount: u32,
    status: fc.record({ message: text, code: fc.integer({ min: 0, max: 2 }) }),
  },
  { requiredKeys: [] },
);
const logRecord = fc.record(
  {
    timeUnixNano: u64,
    observedTimeUnixNano: u64,
    severityNumber: fc.integer({ min: 0, max: 24 }),
    severityText: text,
    body: anyValue,
    attributes,
    droppedAttributesCount: u32,
    flags: u32,
    traceId: id(16),
    spanId: id(8),
  },
  { requiredKeys: [] },
);
const resource = fc.record({ attributes });
const scope = fc.record({ name: text, version: text, attributes });
const traces = fc.record({
  resourceSpans: some(
    fc.record({ resource, scopeSpans: some(fc.record({ scope, spans: some(span) })) }),
  ),
});
const logs = fc.record({
  resourceLogs: some(
    fc.record({ resource, scopeLogs: some(fc.record({ scope, logRecords: some(logRecord) })) }),
  ),
});

/** Everything that the readers answer, as plain values. */
function ours(signal: 'traces' | 'logs', bytes: Uint8Array): { fault: string; said: unknown[] } {
  const said: unknown[] = [];
  const one = createSpan();
  const record = createLogRecord();
  let cursor: ProtoCursor = protoCursor(bytes);
  const hex = ({ from, to }: Range): string =>
    Buffer.from(bytes.subarray(from, to)).toString('hex');
  const string = ({ from, to }: Range): string => decode(bytes, from, to);
  const json = (list: AttributeList): string => attributesJson(cursor, list, decode);
  const fault = readRecords(bytes, {
    resource: (list, at) => {
      cursor = at;
      said.push(['resource', json(list)]);
    },
    scope: ({ name, version, attributes: list }) => {
      said.push(['scope', string(name), string(version), json(list)]);
    },
    item: (at) => {
      if (signal === 'logs') {
        readLogRecord(at, record);
        said.push([
          nanoText(record.time),
          nanoText(record.observedTime),
          record.severityNumber,
          string(record.severityText),
          anyValueJson(at, record.body.from, record.body.to, decode),
          json(record.attributes),
          record.droppedAttributes,
          record.flags,
          hex(record.traceId),
          hex(record.spanId),
        ]);
        return;
      }
      readSpan(at, one);
      said.push([
        hex(one.traceId),
        hex(one.spanId),
        string(one.traceState),
        hex(one.parentSpanId),
        one.flags,
        string(one.name),
        one.kind,
        nanoText(one.start),
        nanoText(one.end),
        json(one.attributes),
        one.droppedAttributes,
        one.events.slice(0, one.eventCount).map((range) => {
          const event = createEvent();
          readEvent(at, range, event);
          return [nanoText(event.time), string(event.name), json(event.attributes)];
        }),
        one.droppedEvents,
        one.links.slice(0, one.linkCount).map((range) => {
          const link = createLink();
          readLink(at, range, link);
          return [
            hex(link.traceId),
            hex(link.spanId),
            string(link.traceState),
            json(link.attributes),
          ];
        }),
        one.droppedLinks,
        string(one.statusMessage),
        one.statusCode,
      ]);
    },
  });
  return { fault, said };
}

type Loose = Readonly<Record<string, unknown>>;
const at = (object: unknown, name: string): unknown => (object as Loose | undefined)?.[name];
const listAt = (object: unknown, name: string): unknown[] => (at(object, name) as unknown[]) ?? [];

/** The same from what protobufjs read. */
function theirs(signal: 'traces' | 'logs', bytes: Uint8Array): unknown[] {
  const decoded = officialObject(signal, bytes);
  const hex = (object: unknown, name: string): string =>
    Buffer.from(String(at(object, name) ?? ''), 'base64').toString('hex');
  const string = (object: unknown, name: string): string => String(at(object, name) ?? '');
  const number = (object: unknown, name: string): number => Number(at(object, name) ?? 0);
  const time = (object: unknown, name: string): string => String(at(object, name) ?? '0');
  const json = (object: unknown): string => keyValuesJson(listAt(object, 'attributes'));
  const said: unknown[] = [];
  const [top, middle, items] =
    signal === 'traces'
      ? ['resourceSpans', 'scopeSpans', 'spans']
      : ['resourceLogs', 'scopeLogs', 'logRecords'];
  for (const resourceItem of listAt(decoded, top)) {
    said.push(['resource', json(at(resourceItem, 'resource'))]);
    for (const scopeItem of listAt(resourceItem, middle)) {
      const found = at(scopeItem, 'scope');
      said.push(['scope', string(found, 'name'), string(found, 'version'), json(found)]);
      for (const item of listAt(scopeItem, items)) {
        said.push(
          signal === 'logs'
            ? [
                time(item, 'timeUnixNano'),
                time(item, 'observedTimeUnixNano'),
                number(item, 'severityNumber'),
                string(item, 'severityText'),
                valueJson(at(item, 'body')),
                json(item),
                number(item, 'droppedAttributesCount'),
                number(item, 'flags'),
                hex(item, 'traceId'),
                hex(item, 'spanId'),
              ]
            : [
                hex(item, 'traceId'),
                hex(item, 'spanId'),
                string(item, 'traceState'),
                hex(item, 'parentSpanId'),
                number(item, 'flags'),
                string(item, 'name'),
                number(item, 'kind'),
                time(item, 'startTimeUnixNano'),
                time(item, 'endTimeUnixNano'),
                json(item),
                number(item, 'droppedAttributesCount'),
                listAt(item, 'events').map((event) => [
                  time(event, 'timeUnixNano'),
                  string(event, 'name'),
                  json(event),
                ]),
                number(item, 'droppedEventsCount'),
                listAt(item, 'links').map((link) => [
                  hex(link, 'traceId'),
                  hex(link, 'spanId'),
                  string(link, 'traceState'),
                  json(link),
                ]),
                number(item, 'droppedLinksCount'),
                string(at(item, 'status'), 'message'),
                number(at(item, 'status'), 'code'),
              ],
        );
      }
    }
  }
  return said;
}

function keyValuesJson(list: readonly unknown[]): string {
  const members = list.map((one) => {
    return `${JSON.stringify(String(at(one, 'key') ?? ''))}:${valueJson(at(one, 'value'))}`;
  });
  return `{${members.join(',')}}`;
}

function valueJson(value: unknown): string {
  const [entry] = Object.entries((value ?? {}) as Loose);
  if (entry === undefined) return 'null';
  const [kind, held] = entry;
  if (kind === 'arrayValue') return `[${listAt(held, 'values').map(valueJson).join(',')}]`;
  if (kind === 'kvlistValue') return keyValuesJson(listAt(held, 'values'));
  if (kind === 'bytesValue') return `{"base64":"${held}"}`;
  if (kind === 'intValue') return String(held);
  if (kind !== 'doubleValue') return JSON.stringify(held);
  if (!Number.isFinite(held)) return `"${held}"`;
  const digits = Object.is(held, -0) ? '-0' : String(held);
  return /^-?\d+$/.test(digits) ? `${digits}.0` : digits;
}

test.each([
  { signal: 'traces', messages: traces },
  { signal: 'logs', messages: logs },
] as const)('$signal are read as the official definitions read them', ({ signal, messages }) => {
  fc.assert(
    fc.property(messages as fc.Arbitrary<object>, (message) => {
      const bytes = officialBytes(signal, message);
      const { fault, said } = ours(signal, bytes);
      expect(fault).toBe('');
      expect(said).toEqual(theirs(signal, bytes));
    }),
    { seed: 3, numRuns: 80 },
  );
});

test('a truncated or changed message is a fault or other values, never an exception', () => {
  const law = (message: object, cut: number, place: number, byte: number): void => {
    const bytes = officialBytes('traces', message);
    const torn = bytes.slice(0, cut % (bytes.length + 1));
    if (torn.length > 0) torn[place % torn.length] = byte;
    ours('traces', torn);
  };
  const nat = fc.nat({ max: 5_000 });
  fc.assert(fc.property(traces, nat, nat, fc.integer({ min: 0, max: 255 }), law), {
    seed: 4,
    numRuns: 1_000,
  });
});

test('arbitrary bytes never throw', () => {
  const bytes = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(bytes, (some) => void ours('logs', some)),
    { seed: 5, numRuns: 1_000 },
  );
});

test('fields come in any order: a resource behind its spans is theirs', () => {
  const whole = officialBytes('traces', {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }] },
        scopeSpans: [{ spans: [{ name: 'a' }] }],
      },
    ],
  });
  // Turned around: the two fields of ResourceSpans change places.
  const resourceEnd = 2 + 2 + (whole[3] ?? 0);
  const turned = Uint8Array.from([
    ...whole.slice(0, 2),
    ...whole.slice(resourceEnd),
    ...whole.slice(2, resourceEnd),
  ]);
  expect(ours('traces', turned)).toEqual(ours('traces', whole));
  expect(ours('traces', turned).said[0]).toEqual(['resource', '{"service.name":"cart"}']);
});

test.each([
  {
    name: 'a name that is a number',
    bytes: [10, 6, 18, 4, 18, 2, 40, 1],
    want: /field 5 has wire type 0/,
  },
  { name: 'a time of four bytes', bytes: [10, 9, 18, 7, 18, 5, 61, 0, 0, 0, 0], want: /field 7/ },
  { name: 'a length past the end', bytes: [10, 99], want: /goes past the end/ },
])('$name is malformed', ({ bytes, want }) => {
  expect(ours('traces', Uint8Array.from(bytes)).fault).toMatch(want);
});

test('values nested too deep are a fault, as deep as allowed are none', () => {
  const nestedBy = (depth: number): object =>
    depth === 0 ? { stringValue: 'x' } : { arrayValue: { values: [nestedBy(depth - 1)] } };
  const bytesOf = (depth: number): Uint8Array =>
    officialBytes('logs', {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: nestedBy(depth) }] }] }],
    });
  expect(ours('logs', bytesOf(ANY_DEPTH_MAX)).fault).toBe('');
  expect(ours('logs', bytesOf(ANY_DEPTH_MAX + 1)).fault).toMatch(/nested deeper than 32/);
});

test('a fault is not overwritten by what follows it', () => {
  const cursor = protoCursor(new Uint8Array(3));
  protoFault(cursor, 'first');
  protoFault(cursor, 'second');
  expect(cursor.fault).toBe('first at byte 0');
});

test.each([
  { signal: 'traces', messages: traces },
  { signal: 'logs', messages: logs },
] as const)('JSON of $signal says what the protobuf bytes say', ({ signal, messages }) => {
  const toJson = (value: unknown, name = ''): unknown => {
    if (value instanceof Uint8Array) {
      return Buffer.from(value).toString(name === 'bytesValue' ? 'base64' : 'hex');
    }
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
    if (Object.is(value, -0)) return '-0';
    if (Array.isArray(value)) return value.map((item) => toJson(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, key)]));
  };
  fc.assert(
    fc.property(messages as fc.Arbitrary<object>, (message) => {
      const json: unknown = JSON.parse(JSON.stringify(toJson(message)));
      const encoded = otlpJsonToProtobuf(signal, json);
      if (encoded.kind === 'invalid') throw new Error(encoded.reason);
      expect(ours(signal, encoded.bytes)).toEqual(ours(signal, officialBytes(signal, message)));
    }),
    { seed: 6, numRuns: 80 },
  );
});

const SPAN_ID = '00f067aa0ba902b7';
const spanWith = (members: object): object => ({
  resourceSpans: [{ scopeSpans: [{ spans: [members] }] }],
});

test.each([
  { name: 'hex ids', members: { spanId: SPAN_ID }, want: SPAN_ID },
  { name: 'hex ids in capitals', members: { spanId: SPAN_ID.toUpperCase() }, want: SPAN_ID },
  { name: 'ids in base64', members: { spanId: 'APBnqgupArc=' }, want: SPAN_ID },
  { name: "protobuf's own names", members: { span_id: SPAN_ID }, want: SPAN_ID },
  { name: 'members that are null', members: { spanId: SPAN_ID, name: null }, want: SPAN_ID },
  { name: 'members that nobody knows', members: { spanId: SPAN_ID, shoe: 4 }, want: SPAN_ID },
])('JSON: $name are read', ({ members, want }) => {
  const encoded = otlpJsonToProtobuf('traces', spanWith(members));
  expect(encoded.kind === 'bytes' && ours('traces', encoded.bytes).said[2]).toMatchObject({
    1: want,
  });
});

test.each([
  { members: { kind: 'SPAN_KIND_SERVER', startTimeUnixNano: 1_700_000_000_000_000_000 } },
  { members: { kind: 2, startTimeUnixNano: '1700000000000000000' } },
])('JSON: enums by name or number, times as number or text: $members', ({ members }) => {
  const encoded = otlpJsonToProtobuf('traces', spanWith(members));
  expect(encoded.kind === 'bytes' && ours('traces', encoded.bytes).said[2]).toMatchObject({
    6: 2,
    7: '1700000000000000000',
  });
});

test.each([
  { name: 'not an object', value: 5, want: '$: expected an object' },
  {
    name: 'a list that is none',
    value: { resourceSpans: {} },
    want: '$.resourceSpans: expected an array',
  },
  {
    name: 'an id that is none',
    value: spanWith({ spanId: '!!' }),
    want: '$.resourceSpans[0].scopeSpans[0].spans[0].spanId: expected hex or base64',
  },
  {
    name: 'a time that is none',
    value: spanWith({ startTimeUnixNano: 'noon' }),
    want: '$.resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano: expected a 64-bit integer, as a number or text',
  },
])('JSON: $name is invalid, with its path', ({ value, want }) => {
  expect(otlpJsonToProtobuf('traces', value)).toEqual({ kind: 'invalid', reason: want });
});

test('JSON nested without end is invalid', () => {
  const nest = `${'{"arrayValue":{"values":['.repeat(5_000)}{}${']}}'.repeat(5_000)}`;
  const value: unknown = JSON.parse(
    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${nest}}]}]}]}`,
  );
  expect(otlpJsonToProtobuf('logs', value)).toMatchObject({ kind: 'invalid' });
});

test('texts are UTF-8; what is not valid becomes U+FFFD', () => {
  expect(decodeAll(Uint8Array.from([0x61, 0xff]))).toBe('a\ufffd');
});
