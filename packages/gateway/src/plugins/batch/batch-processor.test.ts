import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createBatchBook } from '../../core/batch-book.ts';
import { type BatchOptions, createBatchProcessor, type SendFailure } from './batch-processor.ts';

const OPTIONS: BatchOptions = {
  name: 'test',
  batchMax: 3,
  inactiveMs: 100,
  bufferMs: 250,
  retriesMax: 0,
  retryMs: 10,
  pendingMax: 6,
};

function setUp(options: Partial<BatchOptions>, answers: (SendFailure | undefined)[] = []) {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const sent: number[][] = [];
  const warnings: string[] = [];
  const book = createBatchBook();
  const batch = createBatchProcessor<number>(
    { ...OPTIONS, ...options },
    {
      book,
      send: async (entries) => {
        sent.push([...entries]);
        return answers.shift();
      },
      warn: (message) => warnings.push(message),
      now: Date.now,
    },
  );
  const push = (...entries: number[]) => entries.map((entry) => batch.push(entry, 'r', '::1'));
  const counters = () => {
    const {
      pending,
      sent: taken,
      dropped,
    } = book.counters({ name: 'test', routeId: 'r', serverAddr: '::1' });
    return { pending, sent: taken, dropped };
  };
  return { batch, push, sent, warnings, counters };
}

const REFUSED = { reason: 'sink answered 503', mayRetry: true };

test('a full batch is sent at once, the rest when nothing was added for a while', async () => {
  const { push, sent, counters } = setUp({});
  push(1, 2, 3, 4);
  expect(sent).toEqual([[1, 2, 3]]);
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).toEqual([[1, 2, 3], [4]]);
  expect(counters()).toEqual({ pending: 0, sent: 4, dropped: 0 });
});

test('a batch that always gets a little more goes when its oldest entry is too old', async () => {
  const { push, sent } = setUp({ batchMax: 100 });
  for (let i = 0; i < 5; i++) {
    push(i);
    await vi.advanceTimersByTimeAsync(60);
  }
  expect(sent).toEqual([[0, 1, 2, 3, 4]]);
});

test('a refused batch is tried again, then dropped, counted and told of', async () => {
  const { push, sent, warnings, counters } = setUp({ retriesMax: 1 }, [REFUSED, REFUSED]);
  push(1, 2, 3);
  await vi.advanceTimersByTimeAsync(10);
  expect(sent).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(counters()).toEqual({ pending: 0, sent: 0, dropped: 3 });
  expect(warnings).toEqual(['3 entries of "test" were dropped: sink answered 503']);
});

test('what may not be retried is not', async () => {
  const { push, sent, counters } = setUp({ retriesMax: 5 }, [{ reason: '400', mayRetry: false }]);
  push(1, 2, 3);
  await vi.advanceTimersByTimeAsync(100);
  expect([sent.length, counters().dropped]).toEqual([1, 3]);
});

test('past its limit new entries are refused and counted, never the ones it holds', async () => {
  const { push, counters } = setUp({ batchMax: 100, pendingMax: 2 });
  expect(push(1, 2, 3)).toEqual([true, true, false]);
  expect(counters()).toEqual({ pending: 2, sent: 0, dropped: 1 });
});

test('closing sends what is held', async () => {
  const { batch, push, sent } = setUp({});
  push(1);
  await batch.close();
  await turn();
  expect(sent).toEqual([[1]]);
});

test('what can never be sent is dropped with its reason, and not tried again', async () => {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const warnings: string[] = [];
  let tries = 0;
  const batch = createBatchProcessor<number>(
    { ...OPTIONS, batchMax: 1, retriesMax: 3 },
    {
      book: createBatchBook(),
      send() {
        tries += 1;
        throw new Error('port 70000');
      },
      warn: (message) => warnings.push(message),
      now: Date.now,
    },
  );
  batch.push(1, 'r', '::1');
  await vi.advanceTimersByTimeAsync(1_000);
  expect([tries, warnings]).toEqual([1, ['1 entries of "test" were dropped: port 70000']]);
});
