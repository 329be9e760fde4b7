import { defineTable, readBlock, valuesOf } from '@thalweg/model';
import { expect, test } from 'vitest';
import type { Kept, TableBatch } from '../telemetry-sink.ts';
import type { OpenRows } from './open-rows.ts';
import { createTelemetryBuffer } from './telemetry-buffer.ts';

const notes = defineTable({
  database: 'd',
  name: 'notes',
  doc: 'Something to keep.',
  timeColumn: 'time',
  orderBy: ['time'],
  retentionHours: 1,
  writer: 'sender',
  columns: { time: { kind: 'seconds', doc: 'a' }, text: { kind: 'text', doc: 'a' } },
});

/** Writes one row for each text; a text `bad` makes the request malformed, `throw` throws. */
const fill =
  (...texts: string[]) =>
  (rows: OpenRows): string | undefined => {
    for (const text of texts) {
      if (text === 'bad') return 'a bad note';
      if (text === 'throw') throw new Error('thrown');
      rows.of(notes).push({ time: 1, text });
    }
    return undefined;
  };

/** Keeps the texts; `gate` holds a flush back and says how it ends. */
function recorder(gate: () => Promise<Kept> = async () => ({ status: 'kept' })) {
  const flushes: string[][] = [];
  const keep = (batches: readonly TableBatch[]): Promise<Kept> => {
    flushes.push(
      batches.flatMap(({ block }) => {
        const read = readBlock(notes, block.bytes, { columns: 'all' });
        return read.kind === 'block' ? valuesOf(read.block, 'text').map(String) : [read.message];
      }),
    );
    return gate();
  };
  return { flushes, keep };
}

test('requests of one moment share a flush, and are answered after it', async () => {
  const sink = recorder();
  const buffer = createTelemetryBuffer(sink, { flushMs: 1 });
  const answers = await Promise.all([buffer.write(fill('a', 'b')), buffer.write(fill('c'))]);
  expect(answers).toEqual([{ status: 'kept' }, { status: 'kept' }]);
  expect(sink.flushes).toEqual([['a', 'b', 'c']]);
});

test('a sink that fills them in gets no columns without a value, in memory of the flush before', async () => {
  const blocks: TableBatch['block'][] = [];
  const buffer = createTelemetryBuffer(
    {
      fillsDefaults: true,
      keep: async (batches) => {
        blocks.push(...batches.map(({ block }) => block));
        return { status: 'kept' };
      },
    },
    { flushMs: 1 },
  );
  await buffer.write(fill('', ''));
  await buffer.write(fill('a'));
  expect(blocks.map(({ columns }) => [...columns.keys()])).toEqual([['time'], ['time', 'text']]);
  expect(blocks[1]?.bytes.buffer).toBe(blocks[0]?.bytes.buffer);
});

test('nothing is answered before it is kept', async () => {
  let open: (kept: Kept) => void = () => undefined;
  const gate = new Promise<Kept>((resolve) => {
    open = resolve;
  });
  const buffer = createTelemetryBuffer(
    recorder(() => gate),
    { flushRows: 1 },
  );
  let isAnswered = false;
  const written = buffer.write(fill('a')).then((kept) => {
    isAnswered = true;
    return kept;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isAnswered).toBe(false);
  open({ status: 'busy', retryAfterS: 7 });
  expect(await written).toEqual({ status: 'busy', retryAfterS: 7 });
});

test('a malformed request leaves no row, and its neighbours keep theirs', async () => {
  const sink = recorder();
  const buffer = createTelemetryBuffer(sink, { flushMs: 1 });
  const before = buffer.write(fill('a'));
  const malformed = buffer.write(fill('x', 'y', 'bad'));
  const thrown = buffer.write(fill('z', 'throw'));
  const after = buffer.write(fill('b'));
  await expect(thrown).rejects.toThrow('thrown');
  expect(await Promise.all([before, malformed, after])).toEqual([
    { status: 'kept' },
    { status: 'malformed', reason: 'a bad note' },
    { status: 'kept' },
  ]);
  expect(sink.flushes).toEqual([['a', 'b']]);
});

test('a request larger than a block goes into several; none stays when it is malformed', async () => {
  const sink = recorder();
  const buffer = createTelemetryBuffer(sink, { flushMs: 1 });
  const many = new Array<string>(70_000).fill('n');
  expect(await buffer.write(fill(...many, 'bad'))).toMatchObject({ status: 'malformed' });
  expect(await buffer.write(fill('only'))).toEqual({ status: 'kept' });
  await buffer.write(fill(...many));
  expect(sink.flushes.map((texts) => texts.length)).toEqual([1, 70_000]);
});

test('over the limit every request is busy until the sink has kept what waits', async () => {
  let open: (kept: Kept) => void = () => undefined;
  const gate = new Promise<Kept>((resolve) => {
    open = resolve;
  });
  const limits = { flushRows: 1, bytesMax: 100 };
  const buffer = createTelemetryBuffer(
    recorder(() => gate),
    limits,
  );
  const first = buffer.write(fill('x'.repeat(200)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(await buffer.write(fill('a'))).toEqual({ status: 'busy', retryAfterS: 1 });
  open({ status: 'kept' });
  expect(await first).toEqual({ status: 'kept' });
  expect(await buffer.write(fill('b'))).toEqual({ status: 'kept' });
  expect(buffer.counters()).toMatchObject({ rows: 2, flushes: 2, busy: 1, waitingBytes: 0 });
});

test('close keeps what waits and takes no more', async () => {
  const sink = recorder();
  const buffer = createTelemetryBuffer(sink, { flushMs: 60_000 });
  const written = buffer.write(fill('a'));
  await buffer.close();
  expect(await written).toEqual({ status: 'kept' });
  expect(await buffer.write(fill('b'))).toMatchObject({ status: 'busy' });
});

test('a sink that fails is busy, with its reason shown', async () => {
  const buffer = createTelemetryBuffer(
    recorder(() => Promise.reject(new Error('disk'))),
    { flushMs: 1 },
  );
  expect(await buffer.write(fill('a'))).toMatchObject({ status: 'busy' });
  expect(buffer.counters().lastError).toBe('disk');
});
