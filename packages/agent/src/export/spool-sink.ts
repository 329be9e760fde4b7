import type { TelemetrySink } from '@thalweg/integration';
import type { createCompressor } from './compression.ts';
import type { Spool } from './spool.ts';

const RETRY_AFTER_S = 5;

/** What receivers keep on an agent: on its disk, until the server has it. */
export function createSpoolSink(
  spool: Spool,
  compress: ReturnType<typeof createCompressor>,
): TelemetrySink {
  return {
    keep: async (batches) => {
      const waiting = spool.counters().batches;
      const packed = await Promise.all(
        batches.map(async ({ table, block }) => {
          const [content, encoding] = await compress(block.bytes, waiting);
          return { table, rows: block.rows, content, encoding };
        }),
      );
      if (await spool.keep(packed)) return { status: 'kept' };
      return { status: 'busy', retryAfterS: RETRY_AFTER_S };
    },
  };
}
