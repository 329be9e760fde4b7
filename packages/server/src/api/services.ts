import type { Integration } from '@thalweg/integration';
import type { Ingest } from '../ingest/index.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Retention } from '../storage/retention.ts';
import type { Store } from '../storage/store.ts';
import type { Agents } from './agents.ts';

/** What the routes need; wired in main.ts. */
export interface Services {
  readonly store: Store;
  readonly ingest: Ingest;
  /** What others send by HTTP and gRPC. */
  readonly receivers: Integration;
  readonly metrics: Metrics;
  readonly retention: Retention;
  readonly agents: Agents;
  readonly version: string;
  readonly now: () => number;
}
