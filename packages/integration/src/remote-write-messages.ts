import type { IntakeTime, TakenMetrics } from './metric-intake.ts';
import type { RemoteWriteVersion, Unreadable } from './remote-writer.ts';

/** To the thread that reads remote write. */
export type ToWriteThread =
  | ({
      readonly kind: 'body';
      readonly id: number;
      readonly body: Uint8Array<ArrayBuffer>;
      readonly version: RemoteWriteVersion;
    } & IntakeTime)
  /** What became of a request that was taken, and its blocks' memory. */
  | {
      readonly kind: 'settled';
      readonly id: number;
      readonly isKept: boolean;
      readonly memory: readonly ArrayBuffer[];
    };

/** From it: for each body, its blocks or what is wrong. `failed`: a mistake of ours. */
export type FromWriteThread = { readonly id: number } & (
  | { readonly kind: 'taken'; readonly taken: TakenMetrics }
  | { readonly kind: 'unreadable'; readonly unreadable: Unreadable }
  | { readonly kind: 'failed'; readonly message: string }
);
