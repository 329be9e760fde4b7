import type { IntakeTime, TakenMetrics } from './metric-intake.ts';
import type { RemoteWriteVersion, Unreadable } from './remote-writer.ts';

/** What became of a request that was taken, and its blocks' memory. */
export interface SettledRequest {
  readonly id: number;
  readonly isKept: boolean;
  readonly memory: readonly ArrayBuffer[];
}

/** To the thread that reads remote write: a body. */
export interface ToWriteThread extends IntakeTime {
  readonly id: number;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly version: RemoteWriteVersion;
  /** Since the body before: a message of their own would wake the thread for each request twice. */
  readonly settled: readonly SettledRequest[];
}

/** From it: for each body, its blocks or what is wrong. `failed`: a mistake of ours. */
export type FromWriteThread = {
  readonly id: number;
  /** The body's: a later one may have it. */
  readonly memory: ArrayBuffer;
} & (
  | { readonly kind: 'taken'; readonly taken: TakenMetrics }
  | { readonly kind: 'unreadable'; readonly unreadable: Unreadable }
  | { readonly kind: 'failed'; readonly message: string }
);
