import type { Ingest } from '../ingest/index.ts';
import type { Store } from '../storage/store.ts';
import type { Agents } from './agents.ts';

/** What the routes need; wired in main.ts. */
export interface Services {
  readonly store: Store;
  readonly ingest: Ingest;
  readonly agents: Agents;
  readonly version: string;
  readonly now: () => number;
}
