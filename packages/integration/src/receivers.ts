import type { TelemetryBuffer } from './buffer/telemetry-buffer.ts';
import type { Receiver } from './door/receiver.ts';
import type { RowIds } from './row-ids.ts';

/** What a receiver has to work with. */
export interface ReceiverContext {
  readonly buffer: TelemetryBuffer;
  readonly ids: RowIds;
  /** Goes into the column `agent`; empty on the server. */
  readonly agent: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Everything that is received by HTTP. A new kind of telemetry is a line here. */
export function receiversOf(_context: ReceiverContext): Receiver[] {
  return [];
}
