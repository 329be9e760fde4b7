import { connect, type Socket } from 'node:net';
import { ANSWER_BYTES_MAX, type Call, engineError, type StoreLine } from '../sql-store.ts';
import { StoreError } from '../store.ts';
import type { AnswerHead, Ask } from './child-messages.ts';
import { createFrameReader, writeFrame } from './frames.ts';

/** A head is far smaller. */
const FRAME_BYTES_MAX = ANSWER_BYTES_MAX + 2 ** 20;

interface Waiting {
  resolve(bytes: Buffer): void;
  reject(error: StoreError): void;
}
type Request = Ask extends infer One ? (One extends Ask ? Omit<One, 'id'> : never) : never;

/**
 * The store's process at its unix socket. One connection, opened again when the process was started
 * again; what was under way then rejects with `store_unavailable`.
 */
export function connectEngine(socketPath: string): StoreLine & { close(): void } {
  const waiting = new Map<number, Waiting>();
  let socket: Socket | undefined;
  let ids = 0;

  function open(): Socket {
    const opened = connect(socketPath);
    let failure: Error | undefined;
    const read = createFrameReader(FRAME_BYTES_MAX, (head, body) => {
      const { id, error } = head as AnswerHead; // Our own child's.
      const one = waiting.get(id);
      if (error === undefined) one?.resolve(body);
      else one?.reject(engineError(Number(/Code: (\d+)/.exec(error)?.[1] ?? 0), error));
    });
    opened.on('data', (chunk) => {
      try {
        read(chunk);
      } catch (error) {
        opened.destroy(error instanceof Error ? error : undefined);
      }
    });
    opened.on('error', (error) => {
      failure = error;
    });
    opened.on('close', () => {
      if (socket === opened) socket = undefined;
      for (const one of waiting.values()) {
        one.reject(
          new StoreError('store_unavailable', 'the store does not answer', { cause: failure }),
        );
      }
    });
    return opened;
  }

  function ask(request: Request, { timeoutMs, signal }: Call): Promise<Buffer> {
    if (signal?.aborted === true) return Promise.reject(aborted(signal));
    socket ??= open();
    const line = socket;
    const id = ids++;
    return new Promise<Buffer>((resolve, reject) => {
      const end = (error: StoreError): void => {
        writeFrame(line, { kind: 'abort', id });
        waiting.get(id)?.reject(error);
      };
      const onAbort = (): void => end(aborted(signal));
      const timer = setTimeout(
        () => end(new StoreError('store_limit', `no answer in ${timeoutMs} ms`)),
        timeoutMs,
      );
      const settled = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        waiting.delete(id);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.set(id, {
        resolve: (bytes) => {
          settled();
          resolve(bytes);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      writeFrame(line, { id, ...request });
    });
  }

  return {
    read: ({ sql, format, settings, params }, call) =>
      ask({ kind: 'statement', sql, format, settings, params }, call),
    execute: async (sql, call) => {
      await ask({ kind: 'statement', sql, format: 'Null', settings: {}, params: {} }, call);
    },
    insertFile: async (table, file, settings, call) => {
      await ask({ kind: 'insert', target: table, format: 'Native', file, settings }, call);
    },
    close: () => socket?.destroy(),
  };
}

function aborted(signal: AbortSignal | undefined): StoreError {
  return new StoreError('store_aborted', 'the query was aborted', { cause: signal?.reason });
}
