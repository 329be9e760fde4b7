import type { Kept, TelemetrySink } from '../telemetry-sink.ts';
import { createOpenRows, type OpenRows } from './open-rows.ts';

export interface BufferLimits {
  /** The first row of a flush waits this long for others. */
  readonly flushMs: number;
  /** From here on a flush does not wait. */
  readonly flushRows: number;
  readonly flushBytes: number;
  /** Bytes of rows that are not on disk yet; beyond it everything is answered with `busy`. */
  readonly bytesMax: number;
}
export const BUFFER_DEFAULTS: BufferLimits = {
  flushMs: 20,
  flushRows: 16_384,
  flushBytes: 4 * 2 ** 20,
  bytesMax: 128 * 2 ** 20,
};

/** `malformed`: the sender's bytes were not what they should be, and none of their rows is kept. */
export type Written = Kept | { readonly status: 'malformed'; readonly reason: string };

export interface BufferCounters {
  readonly rows: number;
  readonly flushes: number;
  readonly malformed: number;
  readonly busy: number;
  readonly refused: number;
  readonly waitingBytes: number;
  readonly lastError: string;
}

/** Rows of many requests on their way to the sink: one `keep`, one sync of the disk, for all. */
export interface TelemetryBuffer {
  /**
   * `fill` runs at once and writes rows: all of them are kept, or none. It answers what is wrong
   * with its input, or undefined. Resolves when the flush that has the rows was kept (`kept` at once
   * for no rows). What `fill` throws is thrown, its rows taken back.
   */
  write(fill: (rows: OpenRows) => string | undefined): Promise<Written>;
  /** False when `bytes` more would be over the limit: answer `busy` before decoding them. */
  hasRoomFor(bytes: number): boolean;
  counters(): BufferCounters;
  /** Flushes what waits. Later writes are `busy`. Idempotent. */
  close(): Promise<void>;
}

const BUSY: Kept = { status: 'busy', retryAfterS: 1 };

export function createTelemetryBuffer(
  sink: TelemetrySink,
  limits: Partial<BufferLimits> = {},
): TelemetryBuffer {
  const { flushMs, flushRows, flushBytes, bytesMax } = { ...BUFFER_DEFAULTS, ...limits };
  const open = createOpenRows(sink.fillsDefaults === true);
  const totals = { rows: 0, flushes: 0, malformed: 0, busy: 0, refused: 0 };
  let waiting: ((kept: Kept) => void)[] = [];
  let sendingBytes = 0;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let lastError = '';

  const hasRoomFor = (bytes: number): boolean =>
    !isClosed && open.bytes + sendingBytes + bytes <= bytesMax;

  function busy(): Kept {
    totals.busy += 1;
    return BUSY;
  }

  async function write(fill: (rows: OpenRows) => string | undefined): Promise<Written> {
    if (!hasRoomFor(0)) return busy();
    const before = open.rows;
    open.mark();
    let reason: string | undefined;
    try {
      reason = fill(open);
    } catch (error) {
      open.rollback();
      throw error;
    }
    if (reason !== undefined) {
      open.rollback();
      totals.malformed += 1;
      return { status: 'malformed', reason };
    }
    open.measure();
    if (open.rows === before) return { status: 'kept' };
    const kept = new Promise<Kept>((settle) => {
      waiting.push(settle);
    });
    schedule();
    return kept;
  }

  /** While a flush is under way the next one gathers: it starts when the first is through. */
  function schedule(): void {
    if (running !== undefined) return;
    const isLarge = open.rows >= flushRows || open.bytes >= flushBytes;
    if (isLarge) start();
    else timer ??= setTimeout(start, flushMs);
  }

  function start(): void {
    clearTimeout(timer);
    timer = undefined;
    running ??= flush().finally(() => {
      running = undefined;
      if (waiting.length > 0) start();
    });
  }

  async function flush(): Promise<void> {
    const settled = waiting;
    waiting = [];
    const rows = open.rows;
    let kept: Kept;
    try {
      const batches = open.take();
      sendingBytes = batches.reduce((sum, { block }) => sum + block.size, 0);
      kept = await sink.keep(batches);
    } catch (error) {
      lastError = error instanceof Error ? error.message : String(error);
      kept = BUSY;
    }
    sendingBytes = 0;
    totals.flushes += 1;
    if (kept.status === 'kept') totals.rows += rows;
    if (kept.status === 'busy') totals.busy += settled.length;
    if (kept.status === 'refused') {
      totals.refused += settled.length;
      lastError = `${kept.code}: ${kept.message}`;
    }
    for (const settle of settled) settle(kept);
  }

  return {
    write,
    hasRoomFor,
    counters: () => ({ ...totals, waitingBytes: open.bytes + sendingBytes, lastError }),
    close: async () => {
      isClosed = true;
      if (waiting.length > 0) start();
      while (running !== undefined) await running;
    },
  };
}

/** The seconds between which a row's time is kept: what is older expires at once. */
export interface TimeWindow {
  readonly firstS: number;
  readonly lastS: number;
}

/** Clocks differ; a row from later than this is a wrong clock. */
const FUTURE_S = 600;

export function timeWindow(retentionHours: number, nowMs: number): TimeWindow {
  const nowS = Math.floor(nowMs / 1e3);
  return { firstS: nowS - retentionHours * 3_600 + 1, lastS: nowS + FUTURE_S };
}
