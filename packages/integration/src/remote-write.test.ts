import { existsSync, readFileSync } from 'node:fs';
import { doublesOf, readBlock, TABLES, valuesOf } from '@thalweg/model';
import { createProtoWriter, snappyEncode } from '@thalweg/wire';
import { expect, test } from 'vitest';
import { createMetricWriter, type MetricWriter } from './metric-writer.ts';
import { createRemoteWrite, type RemoteWriteAnswer } from './remote-write.ts';
import { createRemoteWriter } from './remote-writer.ts';
import { type SeriesLimits, seriesId } from './series-cache.ts';
import type { Kept, TableBatch } from './telemetry-sink.ts';
import { copyOf } from './testing/recorded-sink.ts';

const NOW_MS = 1_795_346_100_000;
const STALE = [2, 0x7ff00000];

interface Door {
  readonly writer: MetricWriter;
  readonly batches: TableBatch[];
  answers: Kept[];
  post(body: Uint8Array, contentType?: string, coding?: string): Promise<RemoteWriteAnswer>;
}

/** The door before a sink that gives the answers in turn, then keeps. */
function door(
  limits: Partial<SeriesLimits> = {},
  nowMs: () => number = () => NOW_MS,
  hours?: number,
): Door {
  const batches: TableBatch[] = [];
  const one: Door = {
    writer: createMetricWriter({
      now: nowMs,
      limits,
      ...(hours === undefined ? {} : { hoursOf: () => hours }),
      sink: {
        keep: (given) => {
          const answer = one.answers.shift() ?? { status: 'kept' };
          if (answer.status === 'kept') batches.push(...given.map(copyOf));
          return Promise.resolve(answer);
        },
      },
    }),
    batches,
    answers: [],
    post: (body, contentType = 'application/x-protobuf', contentEncoding = 'snappy') =>
      remoteWrite({ contentType, contentEncoding, body }),
  };
  const remoteWrite = createRemoteWrite(createRemoteWriter(one.writer));
  return one;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [offsetMs: number, value: number];

function request(series: readonly (readonly [Labels, readonly Sample[]])[]): Uint8Array {
  const writer = createProtoWriter();
  for (const [labels, samples] of series) {
    writer.messageField(1, () => {
      for (const [name, value] of Object.entries(labels)) {
        writer.messageField(1, () => {
          writer.textField(1, name);
          writer.textField(2, value);
        });
      }
      for (const [offsetMs, value] of samples) {
        writer.messageField(2, () => {
          writer.doubleField(1, value);
          writer.signedField(2, NOW_MS + offsetMs);
        });
      }
    });
  }
  return snappyEncode(writer.finish());
}

const UP = { __name__: 'up', job: 'a' };

function rowsOf(batches: readonly TableBatch[], table: string, column: string): unknown[] {
  return batches
    .filter((batch) => batch.table === table)
    .flatMap((batch) => {
      const declared = TABLES.find(({ name }) => name === table);
      if (declared === undefined) throw new Error(`BUG: no table ${table}`);
      const read = readBlock(declared, batch.block.bytes, { columns: 'agent' });
      if (read.kind === 'invalid') throw new Error(read.message);
      return column === 'value' ? [...doublesOf(read.block, column)] : valuesOf(read.block, column);
    });
}

test('samples become rows under the id of their sorted labels; a series is written once an hour', async () => {
  const { post, batches } = door();
  const first = await post(request([[UP, [[-2_000, 1]]]]));
  const other = { job: 'a', __name__: 'up', empty: '' };
  await post(
    request([
      [UP, [[-1_000, 0]]],
      [other, [[0, 2]]],
    ]),
  );
  expect(first).toEqual({ status: 204, headers: {}, text: '', rows: 1, rejected: 0 });
  const { low, high } = seriesId('up', ['job'], ['a']);
  const id = (BigInt(high) << 32n) | BigInt(low);
  expect(rowsOf(batches, 'samples', 'id')).toEqual([id, id, id]);
  expect(rowsOf(batches, 'samples', 'ts')).toEqual([NOW_MS - 2_000, NOW_MS - 1_000, NOW_MS]);
  // The same set in another spelling is another entry of the cache, with a row of its own.
  expect(rowsOf(batches, 'series', 'label_values')).toEqual([['a'], ['a']]);
  expect(rowsOf(batches, 'series', 'metric')).toEqual(['up', 'up']);
});

test('what was not kept is written again: series row and samples', async () => {
  const one = door();
  one.answers = [{ status: 'busy', retryAfterS: 7 }];
  const body = request([[UP, [[0, 1]]]]);
  expect(await one.post(body)).toMatchObject({ status: 503, headers: { 'retry-after': '7' } });
  expect(await one.post(body)).toMatchObject({ status: 204 });
  expect(rowsOf(one.batches, 'series', 'metric')).toEqual(['up']);
  expect(rowsOf(one.batches, 'samples', 'ts')).toEqual([NOW_MS]);
});

test('a repeat is taken, another value at the same time is refused, an older sample is kept', async () => {
  const { post, writer } = door();
  await post(request([[UP, [[0, 1]]]]));
  expect(await post(request([[UP, [[0, 1]]]]))).toMatchObject({ status: 204 });
  const conflict = await post(
    request([
      [UP, [[0, 5]]],
      [{ __name__: 'b' }, [[0, 1]]],
    ]),
  );
  expect(conflict.status).toBe(400);
  expect(conflict.text).toMatch(
    /^1 left out, the rest is kept; the first: sample_duplicate: up has/,
  );
  expect(await post(request([[UP, [[-60_000, 3]]]]))).toMatchObject({ status: 204 });
  expect(writer.counters()).toMatchObject({
    samples: 4,
    outOfOrder: 1,
    refused: { sample_duplicate: 1 },
  });
});

test.each([
  { name: 'too old', offsetMs: -169 * 3_600_000, code: 'sample_too_old' },
  { name: 'from the future', offsetMs: 601_000, code: 'sample_in_future' },
])('a sample $name is refused', async ({ offsetMs, code }) => {
  const { post, writer } = door();
  expect(await post(request([[UP, [[offsetMs, 1]]]]))).toMatchObject({ status: 400 });
  expect(writer.counters().refused).toEqual({ [code]: 1 });
});

test('a sample as old as the table is kept for is kept', async () => {
  const { post } = door({}, undefined, 400);
  expect(await post(request([[UP, [[-399 * 3_600_000, 1]]]]))).toMatchObject({ status: 204 });
  expect(await post(request([[UP, [[-401 * 3_600_000, 1]]]]))).toMatchObject({ status: 400 });
});

test.each([
  { name: 'no metric name', labels: { job: 'a' }, code: 'labels_invalid' },
  { name: 'a label without a name', labels: { ...UP, '': 'x' }, code: 'labels_invalid' },
  { name: 'a long value', labels: { ...UP, x: 'v'.repeat(9_000) }, code: 'label_too_long' },
  {
    name: 'too many labels',
    labels: {
      ...UP,
      ...Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`l${at}`, 'v'])),
    },
    code: 'labels_too_many',
  },
])('$name is refused, the other series are kept', async ({ labels, code }) => {
  const { post, writer } = door();
  const answer = await post(
    request([
      [labels, [[0, 1]]],
      [UP, [[0, 1]]],
    ]),
  );
  expect(answer.status).toBe(400);
  expect(writer.counters()).toMatchObject({ samples: 1, refused: { [code]: 1 } });
});

test('series are limited in total and per metric, and idle ones make room', async () => {
  let nowMs = NOW_MS;
  const { post, writer } = door({ seriesMax: 4, seriesPerMetricMax: 2 }, () => nowMs);
  const series = (name: string, count: number): (readonly [Labels, readonly Sample[]])[] =>
    Array.from({ length: count }, (_, at) => [{ __name__: name, at: `${at}` }, [[0, 1]]]);
  const perMetric = await post(request(series('a', 3)));
  expect(perMetric.text).toMatch(/metric_series_limit: more active series of a than 2/);
  await post(request([...series('b', 2), ...series('c', 1)]));
  expect(writer.counters()).toMatchObject({
    activeSeries: 4,
    refused: { metric_series_limit: 1, series_limit: 1 },
  });
  for (const hours of [1, 2]) {
    nowMs = NOW_MS + hours * 3_600_001;
    await post(request(series('b', 1)));
  }
  expect(writer.counters().activeSeries).toBe(1);
  expect(await post(request(series('a', 2)))).toMatchObject({ status: 204 });
});

test.each([
  { name: 'another version', contentType: 'application/x-protobuf;proto=a.b.C', status: 415 },
  { name: 'JSON', contentType: 'application/json', status: 415 },
  { name: 'another coding', coding: 'gzip', status: 415 },
  { name: 'no snappy', body: Uint8Array.of(5, 0, 0, 0), status: 400 },
  { name: 'no message', body: snappyEncode(Uint8Array.of(0x0a, 0x7f)), status: 400 },
  { name: 'a bomb', body: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0), status: 413 },
])('$name is answered $status and keeps nothing', async ({ contentType, coding, body, status }) => {
  const { post, batches } = door();
  const answer = await post(body ?? request([[UP, [[0, 1]]]]), contentType, coding);
  expect([answer.status, batches]).toEqual([status, []]);
});

test('2.0 is told what was written', async () => {
  const writer = createProtoWriter();
  for (const symbol of ['', '__name__', 'up', 'Is it up.']) {
    if (symbol === '') writer.messageField(4, () => undefined);
    else writer.textField(4, symbol);
  }
  writer.messageField(5, () => {
    writer.bytesField(1, Uint8Array.of(1, 2));
    for (const offsetMs of [0, 1]) {
      writer.messageField(2, () => {
        writer.doubleField(1, 1);
        writer.signedField(2, NOW_MS + offsetMs);
      });
    }
    writer.messageField(5, () => {
      writer.varintField(1, 2);
      writer.varintField(3, 3);
    });
  });
  const { post, batches } = door();
  const type = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';
  expect(await post(snappyEncode(writer.finish()), type)).toEqual({
    status: 204,
    text: '',
    rows: 2,
    rejected: 0,
    headers: {
      'x-prometheus-remote-write-samples-written': '2',
      'x-prometheus-remote-write-histograms-written': '0',
      'x-prometheus-remote-write-exemplars-written': '0',
    },
  });
  expect(rowsOf(batches, 'metadata', 'help')).toEqual(['Is it up.']);
  expect(rowsOf(batches, 'metadata', 'type')).toEqual(['gauge']);
});

const PAYLOADS = new URL(
  '../../../../shared/conformance/apisix/payloads/remote-write/',
  import.meta.url,
);
function recorded(name: string): Buffer {
  if (!existsSync(PAYLOADS)) {
    throw new Error(`${PAYLOADS.pathname} is missing: check out ../shared beside the project`);
  }
  return readFileSync(new URL(`${name}.snappy`, PAYLOADS));
}

test('what a real Prometheus sent is kept whole, stale markers bit by bit', async () => {
  const { post, batches, writer } = door();
  for (const name of ['01-samples-first', '02-samples-middle', '03-metadata']) {
    expect(await post(recorded(name))).toMatchObject({ status: 204 });
  }
  batches.length = 0;
  await post(recorded('06-small-relabelled-stale'));
  const halves = rowsOf(batches, 'samples', 'value');
  const stale = halves.filter((half, at) => half === STALE[0] && halves[at + 1] === STALE[1]);
  expect(stale.length).toBe(26);
  expect(writer.counters().refused).toEqual({});
});
