import type { BatchOptions } from './batch-processor.ts';

/** What every plugin that sends batches can be told. Times in seconds. */
export interface BatchFields {
  readonly name?: string;
  readonly batch_max_size: number;
  readonly inactive_timeout: number;
  readonly buffer_duration: number;
  readonly max_retry_count: number;
  readonly retry_delay: number;
}

const PENDING_MAX = 8_192;

export const BATCH_FIELDS = {
  name: { type: 'string' },
  batch_max_size: { type: 'integer', minimum: 1, default: 1000 },
  inactive_timeout: { type: 'integer', minimum: 1, default: 5 },
  buffer_duration: { type: 'integer', minimum: 1, default: 60 },
  max_retry_count: { type: 'integer', minimum: 0, default: 0 },
  retry_delay: { type: 'integer', minimum: 0, default: 1 },
} as const;

export const PENDING_FIELD = {
  max_pending_entries: { type: 'integer', minimum: 1, default: PENDING_MAX },
} as const;

/** `name` stands where the configuration gives none. */
export function batchOptions(
  conf: BatchFields,
  name: string,
  metadata: Readonly<Record<string, unknown>> | undefined,
): BatchOptions {
  const pending = metadata?.['max_pending_entries'];
  return {
    name: conf.name ?? name,
    batchMax: conf.batch_max_size,
    inactiveMs: conf.inactive_timeout * 1_000,
    bufferMs: conf.buffer_duration * 1_000,
    retriesMax: conf.max_retry_count,
    retryMs: conf.retry_delay * 1_000,
    pendingMax: typeof pending === 'number' ? pending : PENDING_MAX,
  };
}
