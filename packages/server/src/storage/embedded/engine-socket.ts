import { createServer, type Server, type Socket } from 'node:net';
import { ANSWER_BYTES_MAX } from '../sql-store.ts';
import type { AnswerHead, Ask } from './child-messages.ts';
import type { Engine } from './engine.ts';
import { createFrameReader, writeFrame } from './frames.ts';
import { messageOf, runInsert, runStatement } from './statements.ts';

const ASK_BYTES_MAX = 64 * 2 ** 20;

export interface EngineSocketOptions {
  readonly engine: Engine;
  /** Real paths of directories whose files an insert may name. */
  readonly spoolDirs: readonly string[];
}

/**
 * The engine at a unix socket, for its parent: any number of asks under way on one connection, each
 * answered when it is done. What reads is ended when it is aborted, or the connection closes.
 */
export function createEngineSocket({ engine, spoolDirs }: EngineSocketOptions): Server {
  async function answerOf(ask: Exclude<Ask, { kind: 'abort' }>, signal: AbortSignal) {
    if (ask.kind === 'statement') return (await runStatement(engine, ask, signal)).bytes;
    await runInsert(engine, ask, spoolDirs);
    return undefined;
  }

  function serve(socket: Socket): void {
    const running = new Map<number, AbortController>();

    async function answer(ask: Exclude<Ask, { kind: 'abort' }>): Promise<void> {
      const abort = new AbortController();
      running.set(ask.id, abort);
      let head: AnswerHead = { id: ask.id };
      let bytes: Uint8Array | undefined;
      try {
        bytes = await answerOf(ask, abort.signal);
        if (bytes !== undefined && bytes.length > ANSWER_BYTES_MAX) {
          throw new Error(`Code: 396. ${bytes.length} bytes, the most is ${ANSWER_BYTES_MAX}`);
        }
      } catch (error) {
        head = { id: ask.id, error: messageOf(error) };
        bytes = undefined;
      }
      running.delete(ask.id);
      if (socket.writable) writeFrame(socket, head, bytes);
    }

    // Our own parent, in this same version.
    const read = createFrameReader(ASK_BYTES_MAX, (head) => {
      const ask = head as Ask;
      if (ask.kind === 'abort') running.get(ask.id)?.abort();
      else void answer(ask);
    });
    socket.on('data', (chunk) => {
      try {
        read(chunk);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.on('error', () => undefined); // 'close' follows.
    socket.on('close', () => {
      for (const abort of running.values()) abort.abort();
    });
  }

  return createServer(serve);
}
