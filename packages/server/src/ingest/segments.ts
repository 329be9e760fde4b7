import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { constants, type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { openJournal, syncDirectory, writeAll } from './journal.ts';
import type { JournalLine } from './journal-lines.ts';
import type { JournalDamage } from './recover-journal.ts';
import { openSpareFiles } from './spare-files.ts';

/** Blocks of one table, one behind the other in a file, that one INSERT takes. */
export interface Segment {
  readonly name: string;
  readonly path: string;
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
}

/** A block to keep. `token` is '' for rows that no sender repeats under a name. */
export interface Entry {
  readonly table: string;
  readonly token: string;
  readonly rows: number;
  /** Of all pieces. */
  readonly bytes: number;
  /** The block's bytes, to be written one behind the other. */
  readonly pieces: readonly Uint8Array[];
}

export interface Segments {
  /** Rows of a token that was kept before, in this run or an earlier one. */
  rowsOf(token: string): number | undefined;
  /**
   * Resolves when all entries are on disk; rejects, when the disk took not all of them, with none
   * of them kept. `APPENDS_MAX` calls at a time, which resolve in their order.
   */
  append(entries: readonly Entry[]): Promise<void>;
  /** Closes the tables' open segments and answers them: nothing is added to them any more. */
  seal(isDue: (segment: Segment) => boolean): Promise<Segment[]>;
  /** After its insert. */
  remove(segment: Segment): Promise<void>;
  /** Moves a segment that the store will not take out of the way, for a human to look at. */
  setAside(segment: Segment): Promise<void>;
  /** Closes the files; what they hold is found by the next run. */
  close(): Promise<void>;
  /** Segments of an earlier run. */
  readonly found: readonly Segment[];
  /** What of an earlier run was acknowledged and can't be found. */
  readonly damage: JournalDamage;
}

interface OpenSegment extends Segment {
  readonly file: FileHandle;
  /** Of what is on disk. */
  rows: number;
  bytes: number;
  /** Bytes that were handed to the disk, there or not. */
  written: number;
}

/** What one append puts behind a segment's end. */
interface Added {
  end: number;
  rows: number;
  readonly pieces: Uint8Array[];
}

/** A write is on disk when it ends: one errand of the thread pool, where a write and a sync are two. */
const SYNCED = constants.O_RDWR | constants.O_DSYNC;
const NEW_SYNCED = SYNCED | constants.O_CREAT | constants.O_EXCL;

/**
 * The spool: segments, and a journal that says which block ends where and under which token. Both
 * are written through to the disk at the same time, and so is the next append meanwhile. A block
 * counts when its journal line is there and agrees with it, and so do all before it: the rest was
 * never acknowledged, and is cut off.
 */
export async function openSegments(directory: string, nowMs: () => number): Promise<Segments> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const journal = await openJournal(directory);
  const spares = await openSpareFiles(directory);
  /** Every segment that the store does not have yet. */
  const live = new Map<string, Segment>(journal.found.map((segment) => [segment.name, segment]));
  const openOnes = new Map<string, OpenSegment>();
  let sequence = 0;
  /** Places are given and segments sealed one after the other; what was written comes to the disk. */
  let turn: Promise<unknown> = Promise.resolve();
  let settled: Promise<unknown> = Promise.resolve();
  let hasFailed = false;

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  }

  /** What was written is on disk, or taken back: all of it from the first that failed on. */
  async function drain(): Promise<void> {
    await settled.catch(() => undefined);
    if (!hasFailed) return;
    for (const segment of openOnes.values()) segment.written = segment.bytes;
    await journal.rollback();
    await spares.drop();
    settled = Promise.resolve();
    hasFailed = false;
  }

  async function segmentFor(table: string): Promise<OpenSegment> {
    const existing = openOnes.get(table);
    if (existing !== undefined) return existing;
    // Never again the same name: it is the token under which the store knows the rows.
    const unique = `${nowMs()}-${sequence++}-${randomBytes(6).toString('hex')}`;
    const name = `${table}.${unique}.native`;
    const path = join(directory, name);
    const file = await open(path, (await spares.reuse(path)) ? SYNCED : NEW_SYNCED, 0o600);
    await syncDirectory(directory);
    const segment = { name, path, table, file, rows: 0, bytes: 0, written: 0 };
    openOnes.set(table, segment);
    live.set(name, segment);
    return segment;
  }

  async function append(entries: readonly Entry[]): Promise<void> {
    const { onDisk } = await inTurn(() => write(entries));
    await onDisk;
  }

  /** Gives the entries their places; resolves before they are there. */
  async function write(entries: readonly Entry[]): Promise<{ onDisk: Promise<void> }> {
    if (hasFailed) await drain();
    const added = new Map<OpenSegment, Added>();
    const lines: JournalLine[] = [];
    for (const { table, token, rows, bytes, pieces } of entries) {
      const segment = await segmentFor(table);
      const more = added.get(segment) ?? { end: segment.written, rows: 0, pieces: [] };
      added.set(segment, more);
      more.end += bytes;
      more.rows += rows;
      more.pieces.push(...pieces);
      lines.push({ name: segment.name, end: more.end, rows, token });
    }
    const pieces = entries.flatMap((entry) => entry.pieces);
    const journaled = journal.write(lines, pieces);
    const writing = [...added].map(([segment, { end, pieces: own }]) => {
      const start = segment.written;
      segment.written = end;
      return writeAll(segment.file, own, start);
    });
    const onDisk = inOrder([journaled.written, ...writing], () => {
      for (const [segment, { end, rows }] of added) {
        segment.bytes = end;
        segment.rows += rows;
      }
      journal.settle(lines, journaled.size);
    });
    return { onDisk };
  }

  /** Settles after all before it; when it rejects all have ended, and their places are free again. */
  function inOrder(writing: readonly Promise<void>[], settle: () => void): Promise<void> {
    const onDisk = Promise.allSettled([settled, ...writing]).then((ends) => {
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      settle();
    });
    settled = onDisk;
    onDisk.catch(() => {
      hasFailed = true;
    });
    return onDisk;
  }

  async function seal(isDue: (segment: Segment) => boolean): Promise<Segment[]> {
    if (![...openOnes.values()].some(isDue)) return [];
    return inTurn(async () => {
      await drain();
      const due = [...openOnes.values()].filter(isDue);
      for (const segment of due) {
        // An append that failed may have left bytes behind the end, or an earlier segment.
        await segment.file.truncate(segment.bytes);
        openOnes.delete(segment.table);
        await segment.file.close();
        if (segment.rows === 0) await remove(segment);
      }
      await journal.bound(live.values());
      return due.filter(({ rows }) => rows > 0);
    });
  }

  async function remove({ name, path, bytes }: Segment): Promise<void> {
    live.delete(name);
    await spares.retire(path, bytes);
  }

  return {
    found: journal.found,
    damage: journal.damage,
    append,
    rowsOf: journal.rowsOf,
    seal,
    remove,
    setAside: async ({ name, path }) => {
      live.delete(name);
      await rename(path, `${path}.refused`);
    },
    close: async () => {
      await inTurn(drain);
      for (const { file } of openOnes.values()) await file.close();
      openOnes.clear();
      await journal.close();
    },
  };
}
