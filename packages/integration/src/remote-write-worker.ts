// Entry of the thread that reads remote write: bodies in, blocks out. It holds what series are known.
import { parentPort } from 'node:worker_threads';
import { createMetricIntake, type Taken } from './metric-intake.ts';
import type { FromWriteThread, ToWriteThread } from './remote-write-messages.ts';
import { createBodyReader } from './remote-writer.ts';

const intake = createMetricIntake();
const read = createBodyReader();
/** Requests whose blocks are under way to the disk. */
const open = new Map<number, Taken>();

function answer({ id, body, version, nowMs, retentionHours }: ToWriteThread): FromWriteThread {
  const memory = body.buffer;
  try {
    const fill = read(body, version);
    if (typeof fill !== 'function') return { kind: 'unreadable', id, memory, unreadable: fill };
    const { settle, ...taken } = intake.take(fill, { nowMs, retentionHours });
    open.set(id, { ...taken, settle });
    return { kind: 'taken', id, memory, taken };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', id, memory, message };
  }
}

// What the main thread posts, in this same version.
parentPort?.on('message', (message: ToWriteThread) => {
  for (const { id, isKept, memory } of message.settled) {
    open.get(id)?.settle(isKept, memory);
    open.delete(id);
  }
  const reply = answer(message);
  const batches = reply.kind === 'taken' ? reply.taken.batches : [];
  parentPort?.postMessage(reply, [reply.memory, ...batches.map(({ block }) => block.bytes.buffer)]);
});
