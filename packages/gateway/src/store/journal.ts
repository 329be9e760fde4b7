import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { asError } from '../core/as-error.ts';
import type { FieldSeal } from './field-seal.ts';
import { createObjectTable } from './object-table.ts';
import { ChangedError, DEFAULT_PREFIX, type Store, type StoredObject } from './store.ts';

const FILE = 'journal';
/** The file is written anew at start when it holds this many times more entries than objects. */
const GARBAGE_RATIO_MAX = 4;
/** setTimeout counts in 32 bits. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** One line of the journal: an object as it now is, or `value` null for one that is gone. */
interface Entry {
  readonly key: string;
  readonly revision: number;
  readonly createdIndex: number;
  readonly value: Readonly<Record<string, unknown>> | null;
  /** Unix ms; absent for what stays. */
  readonly expiresMs?: number;
  /** Secret fields of `value` are encrypted. */
  readonly isSealed?: boolean;
}

/** The journal is damaged before its end: something else than a crash has written to it. */
export class JournalError extends Error {
  readonly code = 'bad_input';
  readonly fix = 'restore the folder from a copy, or move the journal away to begin anew';
}

/**
 * A store in one append-only file. A write is acknowledged after `fsync`; writes that come meanwhile
 * share the next one. Each line carries its checksum: a line that a crash cut short was never
 * acknowledged and is dropped at the next start.
 */
export async function openJournal(
  folder: string,
  clock: { now(): number },
  seal?: FieldSeal,
): Promise<Store> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE);
  const table = createObjectTable();
  const expiries = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  /** Revisions of writes that are not on disk yet. */
  const unsynced = new Map<string, number>();
  let revision = replay(path, (entry) => {
    apply(opened(entry, seal));
  });
  compact(path, { objects: table.all(), expiries, revision, seal });
  const file: FileHandle = await open(path, 'a', 0o600);
  let queue: { readonly line: string; settle(error?: unknown): void }[] = [];
  let writing: Promise<void> | undefined;
  let isClosed = false;
  for (const [key, at] of expiries) expireAt(key, at);

  function apply({ key, revision: at, createdIndex, value, expiresMs }: Entry): void {
    if (expiresMs === undefined) expiries.delete(key);
    else expiries.set(key, expiresMs);
    if (value === null) table.remove(key, at);
    else table.set({ key, value, createdIndex, modifiedIndex: at });
  }

  function expireAt(key: string, at: number): void {
    clearTimeout(timers.get(key));
    const timer = setTimeout(
      () => void store.delete(key),
      Math.min(TIMER_MS_MAX, Math.max(0, at - clock.now())),
    );
    timer.unref();
    timers.set(key, timer);
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      let failure: unknown;
      try {
        await file.appendFile(batch.map(({ line }) => line).join(''));
        await file.datasync();
      } catch (error) {
        failure = error;
      }
      for (const { settle } of batch) settle(failure);
    }
    writing = undefined;
  }

  async function write(entry: Entry): Promise<void> {
    if (isClosed) throw new Error('the store is closed');
    await new Promise<void>((resolve, reject) => {
      queue.push({
        line: lineOf(entry, seal),
        settle: (error) => (error === undefined ? resolve() : reject(asError(error))),
      });
      writing ??= drain();
    });
  }

  const store: Store = {
    get: table.get,
    list: table.list,
    revision: () => revision,
    isReachable: () => true,
    prefix: DEFAULT_PREFIX,
    subscribe: table.subscribe,
    async reserveId() {
      revision += 1;
      return revision;
    },
    async put(key, value, { ttlS, unchangedSince } = {}) {
      const newest = unsynced.get(key) ?? table.get(key)?.modifiedIndex;
      if (unchangedSince !== undefined && unchangedSince !== newest) throw new ChangedError();
      revision += 1;
      const at = revision;
      unsynced.set(key, at);
      const createdIndex = table.get(key)?.createdIndex ?? at;
      const expiry = ttlS === undefined ? {} : { expiresMs: clock.now() + ttlS * 1_000 };
      const entry = { key, revision: at, createdIndex, value, ...expiry };
      await write(entry).finally(() => {
        if (unsynced.get(key) === at) unsynced.delete(key);
      });
      const isNew = table.get(key) === undefined;
      apply(entry);
      clearTimeout(timers.get(key));
      if (entry.expiresMs !== undefined) expireAt(key, entry.expiresMs);
      return { object: { key, value, createdIndex, modifiedIndex: at }, isNew };
    },
    async delete(key) {
      if (table.get(key) === undefined) return false;
      revision += 1;
      const entry = { key, revision, createdIndex: 0, value: null };
      await write(entry);
      clearTimeout(timers.get(key));
      const wasThere = table.get(key) !== undefined;
      apply(entry);
      return wasThere;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await writing;
      await file.close();
    },
  };
  return store;
}

function lineOf(entry: Entry, seal: FieldSeal | undefined): string {
  const { key, value } = entry;
  const isSealed = seal !== undefined && value !== null;
  const text = JSON.stringify(
    isSealed ? { ...entry, value: seal.seal(key, value), isSealed } : entry,
  );
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
}

function opened(entry: Entry, seal: FieldSeal | undefined): Entry {
  const { key, value, isSealed, ...rest } = entry;
  if (isSealed !== true || value === null || seal === undefined) return entry;
  return { ...rest, key, value: seal.open(key, value) };
}

/** Applies the whole lines of the file in order; answers the highest revision. */
function replay(path: string, apply: (entry: Entry) => void): number {
  let revision = 0;
  const text = readIfThere(path);
  const lines = text.split('\n');
  for (const [at, line] of lines.entries()) {
    if (line === '') continue;
    const entry = entryOf(line);
    if (entry !== undefined) {
      revision = Math.max(revision, entry.revision);
      apply(entry);
      continue;
    }
    // Only the end may be torn: the last line, whether its line feed is there or not.
    if (at < lines.length - 1 && lines.slice(at + 1).some((later) => later !== '')) {
      throw new JournalError(`line ${at + 1} of ${path} is damaged`);
    }
  }
  return revision;
}

function entryOf(line: string): Entry | undefined {
  const text = line.slice(9);
  if (line[8] !== ' ' || Number.parseInt(line.slice(0, 8), 16) !== crc32(text)) return undefined;
  // The checksum is right: it is a line that `lineOf` has written.
  return JSON.parse(text) as Entry;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Writes the file anew, so that a torn end and old versions are gone. */
function compact(
  path: string,
  given: {
    readonly objects: readonly StoredObject[];
    readonly expiries: ReadonlyMap<string, number>;
    readonly revision: number;
    readonly seal: FieldSeal | undefined;
  },
): void {
  const { objects, expiries, revision, seal } = given;
  const text = readIfThere(path);
  const lines = text.split('\n').length;
  const isTorn =
    text !== '' &&
    (!text.endsWith('\n') || entryOf(text.trimEnd().split('\n').at(-1) ?? '') === undefined);
  if (!isTorn && lines < 100 + objects.length * GARBAGE_RATIO_MAX) return;
  const next = `${path}.new`;
  const fd = openSync(next, 'w', 0o600);
  for (const { key, value, createdIndex, modifiedIndex } of objects) {
    const expiresMs = expiries.get(key);
    const expiry = expiresMs === undefined ? {} : { expiresMs };
    const entry = { key, value, createdIndex, revision: modifiedIndex, ...expiry };
    writeSync(fd, lineOf(entry, seal));
  }
  // Keeps the revision, which a deleted newest object would else take back.
  writeSync(fd, lineOf({ key: '', value: null, createdIndex: 0, revision }, undefined));
  fsyncSync(fd);
  closeSync(fd);
  renameSync(next, path);
  const folder = openSync(join(path, '..'), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
