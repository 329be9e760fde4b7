import { Worker } from 'node:worker_threads';
import { prometheusSamples } from '@thalweg/model';
import { memoryOf } from './metric-intake.ts';
import {
  createMetricBook,
  type MetricCounters,
  type MetricWriterOptions,
} from './metric-writer.ts';
import type { FromWriteThread, SettledRequest, ToWriteThread } from './remote-write-messages.ts';
import type { RemoteWriter } from './remote-writer.ts';
import { declaredHours } from './retention-hours.ts';

/** Remote write that is unpacked, read and made into blocks beside the main thread. */
export interface RemoteWriteThread extends RemoteWriter {
  counters(): MetricCounters;
  /** Threads that ended by a fault; their requests were answered with `busy`. */
  readonly restarts: number;
  close(): Promise<void>;
}

/** What a body of 2,000 samples takes, and some. */
const BODY_BYTES = 2 ** 16;
/** Of as many requests as are under way with most senders. */
const SPARES_MAX = 16;
const SPARE_BYTES_MAX = 2 ** 20;
const BUSY = { status: 'busy', retryAfterS: 1 } as const;

/**
 * The thread starts with the first body. It knows the series of all that it reads and nobody else's:
 * limits hold for remote write and for other senders of metrics each.
 */
export function createRemoteWriteThread(
  options: Omit<MetricWriterOptions, 'limits'>,
): RemoteWriteThread {
  const { sink, now, hoursOf = declaredHours } = options;
  const book = createMetricBook(sink);
  const waiting = new Map<number, (reply: FromWriteThread | undefined) => void>();
  /** Memory of bodies that were read. New memory each time makes the collector look at all else. */
  const spare: ArrayBuffer[] = [];
  let running: Worker | undefined;
  /** For the thread, with the next body. */
  let settled: SettledRequest[] = [];
  let restarts = 0;
  let requests = 0;

  /** To be moved to the thread: a body may be a view of what was read from a socket. */
  function copyOf(body: Uint8Array): Uint8Array<ArrayBuffer> {
    const large = spare.pop();
    const memory =
      large !== undefined && large.byteLength >= body.length
        ? large
        : new ArrayBuffer(Math.max(body.length, BODY_BYTES));
    const copy = new Uint8Array(memory, 0, body.length);
    copy.set(body);
    return copy;
  }

  function thread(): Worker {
    if (running !== undefined) return running;
    const worker = startWorker();
    running = worker;
    worker.unref();
    worker.on('message', (reply: FromWriteThread) => {
      if (spare.length < SPARES_MAX && reply.memory.byteLength <= SPARE_BYTES_MAX) {
        spare.push(reply.memory);
      }
      waiting.get(reply.id)?.(reply);
      waiting.delete(reply.id);
    });
    worker.on('error', () => {
      restarts += 1;
    });
    worker.on('exit', () => {
      running = undefined;
      settled = [];
      for (const settle of waiting.values()) settle(undefined);
      waiting.clear();
    });
    return worker;
  }

  return {
    write: async (body, version) => {
      const worker = thread();
      requests += 1;
      const id = requests;
      const copy = copyOf(body);
      const retentionHours = hoursOf(prometheusSamples);
      const message: ToWriteThread = {
        id,
        body: copy,
        version,
        settled,
        nowMs: now(),
        retentionHours,
      };
      const moved = settled.flatMap(({ memory }) => memory);
      settled = [];
      const reply = await new Promise<FromWriteThread | undefined>((resolve) => {
        waiting.set(id, resolve);
        worker.postMessage(message, [copy.buffer, ...moved]);
      });
      if (reply === undefined) return BUSY;
      if (reply.kind === 'failed') throw new Error(reply.message);
      if (reply.kind === 'unreadable') return reply.unreadable;
      const { taken } = reply;
      return book.keep(taken, (isKept) => {
        if (worker === running) settled.push({ id, isKept, memory: memoryOf(taken.batches) });
      });
    },
    counters: book.counters,
    get restarts() {
      return restarts;
    },
    close: async () => {
      await running?.terminate();
    },
  };
}

/** Run from its source, it takes the bundle that was built. */
function startWorker(): Worker {
  const bundle = import.meta.url.endsWith('.ts')
    ? '../../cli/dist/remote-write-worker.js'
    : './remote-write-worker.js';
  return new Worker(new URL(bundle, import.meta.url));
}
