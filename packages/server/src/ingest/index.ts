export { fillTraceIndex } from './fill-trace-index.ts';
export {
  type Accepted,
  type BatchOrigin,
  createIngest,
  type Ingest,
  type IngestCounters,
  type IngestLimits,
  type IngestOptions,
} from './ingest.ts';
export { restoreRoots } from './restore-roots.ts';
export { createRootTable, ROOT_DEFAULTS, type RootTable } from './roots.ts';
