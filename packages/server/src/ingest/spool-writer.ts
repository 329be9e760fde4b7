import type { Entry, Segment, Segments } from './segments.ts';

/** Why nothing can be kept just now. */
export type BusyCode = 'spool_full' | 'disk_full' | 'disk_failed' | 'closing';

/** Groups of entries to the disk, one sync for all that wait; each group is kept whole or not. */
export interface SpoolWriter {
  /** `aliases` go with the entries, and with later ones when these cannot be kept. */
  write(entries: readonly Entry[], aliases?: readonly Entry[]): Promise<'kept' | BusyCode>;
  hasRoomFor(bytes: number): boolean;
  /** All segments that are full or due and not handed out yet, closed. */
  sealed(isDue: (segment: Segment) => boolean): Promise<Segment[]>;
  /** Bytes that left the spool. */
  release(bytes: number): void;
  /** Nothing is taken any more. */
  stop(): void;
  readonly bytes: number;
  readonly queuedBytes: number;
  /** The last failure, '' when the last write went well. */
  readonly lastError: string;
}

interface Waiting {
  readonly entries: readonly Entry[];
  readonly settle: (written: 'kept' | BusyCode) => void;
}

/** Alias entries held while the disk is full; older ones are given up: traces stay in two parts. */
const OWED_MAX = 1_000;

/**
 * `APPENDS_MAX` at the most. Two keep the disk busy; with four each took one request of five senders,
 * and twice the errands and system calls for a sample.
 */
const APPENDS_AT_ONCE = 2;

export function createSpoolWriter(options: {
  readonly segments: Segments;
  readonly bytesMax: number;
  /** Whether a segment is to be inserted now. */
  readonly isFull: (segment: Segment) => boolean;
}): SpoolWriter {
  const { segments, bytesMax, isFull } = options;
  const ready: Segment[] = [];
  let queuedBytes = bytesOf(segments.found);
  let bytes = 0;
  let lastError = '';
  let waiting: Waiting[] = [];
  let owed: Entry[] = [];
  let appends = 0;
  let isStopped = false;

  /** Groups that come while as many appends are under way as may be go together in the next one. */
  function schedule(): void {
    if (appends >= APPENDS_AT_ONCE || waiting.length === 0) return;
    appends += 1;
    void onDisk(append).then(() => {
      appends -= 1;
      schedule();
    });
  }

  /** Never rejects. */
  function onDisk(work: () => Promise<void>): Promise<void> {
    return work().catch((error: unknown) => {
      lastError = `spool: ${error instanceof Error ? error.message : String(error)}`;
    });
  }

  async function append(): Promise<void> {
    const taken = waiting;
    const aliases = owed;
    waiting = [];
    owed = [];
    const entries = taken.flatMap((one) => one.entries);
    const all = [...aliases, ...entries];
    try {
      await segments.append(all);
    } catch (error) {
      owed = [...aliases, ...owed].slice(-OWED_MAX);
      release(bytesOf(entries));
      for (const { settle } of taken) settle(codeOf(error));
      throw error;
    }
    lastError = '';
    queuedBytes += bytesOf(aliases);
    bytes += bytesOf(all);
    for (const { settle } of taken) settle('kept');
    ready.push(...(await segments.seal(isFull)));
  }

  function release(gone: number): void {
    queuedBytes -= gone;
  }

  return {
    write: (entries, aliases = []) => {
      owed = [...owed, ...aliases].slice(-OWED_MAX);
      const size = bytesOf(entries);
      if (isStopped) return Promise.resolve('closing');
      if (queuedBytes + size > bytesMax) return Promise.resolve('spool_full');
      queuedBytes += size;
      return new Promise((settle) => {
        waiting.push({ entries, settle });
        schedule();
      });
    },
    hasRoomFor: (size) => queuedBytes + size <= bytesMax,
    sealed: async (isDue) => {
      await onDisk(async () => {
        ready.push(...(await segments.seal(isDue)));
      });
      return ready.splice(0);
    },
    release,
    stop: () => {
      isStopped = true;
    },
    get bytes() {
      return bytes;
    },
    get queuedBytes() {
      return queuedBytes;
    },
    get lastError() {
      return lastError;
    },
  };
}

function bytesOf(parts: readonly { readonly bytes: number }[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

function codeOf(error: unknown): BusyCode {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk_full' : 'disk_failed';
}
