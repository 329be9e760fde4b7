import type { BatchBook } from '../../core/batch-book.ts';
import { type BatchProcessor, createBatchProcessor } from '../batch/batch-processor.ts';

export interface LineFileParts {
  readonly book: BatchBook;
  /** Appends whole lines; opened anew each time, so that a rotated file is simply made again. */
  append(text: string): Promise<void>;
  warn(message: string): void;
  now(): number;
}

/** Lines that wait for a slow disk; then they are dropped and counted. */
const LINES_MAX = 65_536;
const BATCH_MAX = 1_000;

/** Lines for a file, in their order, gathered for `flushMs`. */
export function createLineFile(
  { name, flushMs }: { readonly name: string; readonly flushMs: number },
  parts: LineFileParts,
): BatchProcessor<string> {
  return createBatchProcessor<string>(
    {
      name,
      batchMax: BATCH_MAX,
      inactiveMs: flushMs,
      bufferMs: flushMs,
      retriesMax: 0,
      retryMs: 0,
      pendingMax: LINES_MAX,
      sendsMax: 1,
    },
    {
      book: parts.book,
      warn: parts.warn,
      now: parts.now,
      async send(lines) {
        try {
          await parts.append(`${lines.join('\n')}\n`);
          return undefined;
        } catch (error) {
          return {
            reason: error instanceof Error ? error.message : String(error),
            mayRetry: false,
          };
        }
      },
    },
  );
}
