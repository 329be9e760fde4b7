import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MARK_CACHE_BYTES = 100 * 2 ** 20;

/** Writes the engine's configuration beside its data and answers the file's path. */
export function writeConfigFile(dataDir: string, memoryBytesMax: number): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'engine.xml');
  writeFileSync(
    file,
    [
      '<clickhouse>',
      `  <max_server_memory_usage>${memoryBytesMax}</max_server_memory_usage>`,
      `  <mark_cache_size>${MARK_CACHE_BYTES}</mark_cache_size>`,
      '  <background_pool_size>2</background_pool_size>',
      '  <background_schedule_pool_size>2</background_schedule_pool_size>',
      '</clickhouse>',
      '',
    ].join('\n'),
  );
  return file;
}
