import { type BatchFields, batchOptions } from '../batch/batch-fields.ts';
import { createBatchProcessor, type SendFailure } from '../batch/batch-processor.ts';
import type { Handlers, PluginEnvironment } from '../plugin.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogFields } from './log-fields.ts';
import { createRequestLog } from './request-log.ts';

export interface BatchedLogParts {
  /** Of the batches, where the configuration gives none. */
  readonly name: string;
  send(entries: readonly LogEntry[]): Promise<SendFailure | undefined>;
  close?(): void;
}

/** Handlers of a logger that sends an entry of each request in batches. */
export function batchedLog(
  conf: BatchFields & LogFields,
  environment: PluginEnvironment,
  { name, send, close }: BatchedLogParts,
): Handlers {
  const log = createRequestLog(conf, environment);
  const batch = createBatchProcessor<LogEntry>(batchOptions(conf, name, environment.metadata()), {
    book: environment.batches,
    send,
    warn: environment.warn,
    now: environment.now,
  });
  return {
    ...log.handlers,
    log(context) {
      batch.push(log.entry(context), context.route?.id ?? '', context.peer.localAddress);
    },
    async close() {
      await batch.close();
      close?.();
    },
  };
}

/** An array, also of one; the entry alone when batches hold one. */
export function entriesJson(entries: readonly LogEntry[], { batch_max_size }: BatchFields): string {
  return JSON.stringify(batch_max_size === 1 ? entries[0] : entries);
}
