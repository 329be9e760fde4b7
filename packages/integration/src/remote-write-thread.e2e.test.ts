import { createProtoWriter, snappyEncode } from '@thalweg/wire';
import { expect, onTestFinished, test } from 'vitest';
import { createMetricWriter } from './metric-writer.ts';
import { createRemoteWriteThread, type RemoteWriteThread } from './remote-write-thread.ts';
import { createRemoteWriter } from './remote-writer.ts';
import { createRecordedSink, type RecordedSink } from './testing/recorded-sink.ts';

const NOW_MS = 1_795_346_100_000;
const BUSY = { status: 'busy', retryAfterS: 1 } as const;

/** `names`: a series each, with one sample at the offset. */
function request(names: readonly string[], offsetMs: number, value = 1): Uint8Array {
  const writer = createProtoWriter();
  for (const name of names) {
    writer.messageField(1, () => {
      writer.messageField(1, () => {
        writer.textField(1, '__name__');
        writer.textField(2, name);
      });
      writer.messageField(2, () => {
        writer.doubleField(1, value);
        writer.signedField(2, NOW_MS + offsetMs);
      });
    });
  }
  return snappyEncode(writer.finish());
}

function openThread(sink: RecordedSink): RemoteWriteThread {
  const thread = createRemoteWriteThread({ sink, now: () => NOW_MS });
  onTestFinished(() => thread.close());
  return thread;
}

test('the thread answers and keeps what a writer without one does', async () => {
  const [here, there] = [createRecordedSink(), createRecordedSink()];
  const writer = createMetricWriter({ sink: here, now: () => NOW_MS });
  const inline = createRemoteWriter(writer);
  const thread = openThread(there);
  const bodies = [
    request(['a', 'b'], 0),
    request(['a', 'b'], 1_000),
    request(['b', 'c', 'a'], 2_000),
    request(['a'], 2_000, 5),
    request(['a'], 3_600_000),
    request(['a'], -600 * 3_600_000),
    Uint8Array.of(9, 9, 9),
    snappyEncode(Uint8Array.of(0x0a, 99)),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0),
  ];
  for (const body of bodies) {
    expect(await thread.write(body, '1.0')).toEqual(await inline.write(body, '1.0'));
  }
  for (const table of ['series', 'samples']) expect(there.rows(table)).toEqual(here.rows(table));
  expect(thread.counters()).toEqual(writer.counters());
  expect(there.rows('samples')).toHaveLength(7);
});

test('requests under way together are each kept whole, in memory that is used again', async () => {
  const sink = createRecordedSink();
  const thread = openThread(sink);
  const names = Array.from({ length: 3_000 }, (_, at) => `metric_${at}`);
  for (let round = 0; round < 3; round += 1) {
    const offsets = [0, 1, 2, 3].map((at) => 4 * round + at);
    const written = await Promise.all(offsets.map((ms) => thread.write(request(names, ms), '1.0')));
    expect(written).toEqual(offsets.map(() => expect.objectContaining({ samples: 3_000 })));
  }
  const times = sink.rows('samples').map(({ ts }) => Number(ts) - NOW_MS);
  expect(times.toSorted((one, other) => one - other)).toEqual(
    Array.from({ length: 12 * 3_000 }, (_, at) => Math.floor(at / 3_000)),
  );
  // Each of the first four says the series itself: the others may not be kept.
  expect(sink.rows('series')).toHaveLength(4 * 3_000);
});

test('what the sink has no room for is written again, series and samples', async () => {
  const sink = createRecordedSink();
  const thread = openThread(sink);
  sink.answer = BUSY;
  expect(await thread.write(request(['a'], 0), '1.0')).toEqual(BUSY);
  sink.answer = { status: 'kept' };
  expect(await thread.write(request(['a'], 0), '1.0')).toMatchObject({ status: 'kept' });
  expect([sink.rows('series').length, sink.rows('samples').length]).toEqual([1, 1]);
  expect(thread.counters()).toMatchObject({ samples: 1, activeSeries: 1 });
});

test('a thread that ends sends its senders back, and the next body starts another', async () => {
  const sink = createRecordedSink();
  const thread = openThread(sink);
  const written = thread.write(request(['a'], 0), '1.0');
  await thread.close();
  expect(await written).toEqual(BUSY);
  expect(await thread.write(request(['a'], 0), '1.0')).toMatchObject({ samples: 1 });
  expect(sink.rows('samples')).toHaveLength(1);
});
