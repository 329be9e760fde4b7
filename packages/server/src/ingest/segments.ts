import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import {
  type FileHandle,
  open,
  readdir,
  readFile,
  rename,
  truncate,
  unlink,
} from 'node:fs/promises';
import { join } from 'node:path';

/** Blocks of one table, one behind the other in a file, that one INSERT takes. */
export interface Segment {
  readonly name: string;
  readonly path: string;
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
}

/** A block to keep. `token` is '' for rows that may be doubled without harm. */
export interface Entry {
  readonly table: string;
  readonly token: string;
  readonly rows: number;
  readonly bytes: Uint8Array;
}

export interface Segments {
  /** Rows of a token that was kept before, in this run or an earlier one. */
  rowsOf(token: string): number | undefined;
  /** Resolves when all entries are on disk. One call at a time. */
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
}

const TOKENS_MAX = 100_000;
const NAME = /^(\w+)\.[\w-]+\.native$/;

interface OpenSegment extends Segment {
  readonly file: FileHandle;
  rows: number;
  bytes: number;
}

/**
 * The spool: segments, and a journal that says which block ends where and under which token. A
 * block counts when its journal line is there: what lies behind the last line was never
 * acknowledged, and is cut off when the spool is opened.
 */
export async function openSegments(directory: string, nowMs: () => number): Promise<Segments> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const journalPath = join(directory, 'journal');
  const { tokens, found } = await recover(directory, journalPath);
  await rewriteJournal(directory, journalPath, tokens);
  let journal = await open(journalPath, 'a');
  let lines = tokens.size;
  let sequence = 0;
  const openOnes = new Map<string, OpenSegment>();

  async function segmentFor(table: string): Promise<OpenSegment> {
    const existing = openOnes.get(table);
    if (existing !== undefined) return existing;
    // Never again the same name: it is the token under which the store knows the rows.
    const unique = `${nowMs()}-${sequence++}-${randomBytes(6).toString('hex')}`;
    const name = `${table}.${unique}.native`;
    const path = join(directory, name);
    const file = await open(path, 'wx', 0o600);
    await syncDirectory(directory);
    const segment = { name, path, table, file, rows: 0, bytes: 0 };
    openOnes.set(table, segment);
    return segment;
  }

  async function append(entries: readonly Entry[]): Promise<void> {
    const touched = new Set<OpenSegment>();
    const kept: { token: string; line: string }[] = [];
    for (const { table, token, rows, bytes } of entries) {
      const segment = await segmentFor(table);
      touched.add(segment);
      await segment.file.write(bytes, 0, bytes.length, segment.bytes);
      segment.bytes += bytes.length;
      segment.rows += rows;
      kept.push({ token, line: `${segment.name} ${segment.bytes} ${rows} ${token}\n` });
    }
    for (const segment of touched) await segment.file.datasync();
    await journal.write(kept.map(({ line }) => line).join(''));
    await journal.datasync();
    kept.forEach(({ token, line }) => {
      if (token !== '') tokens.set(token, line);
    });
    lines += kept.length;
    await boundJournal();
  }

  /** Lines of open segments are still needed, and they are the newest. */
  async function boundJournal(): Promise<void> {
    for (const token of tokens.keys()) {
      if (tokens.size <= TOKENS_MAX) break;
      tokens.delete(token);
    }
    if (lines < 2 * TOKENS_MAX || openOnes.size > 0) return;
    await journal.close();
    await rewriteJournal(directory, journalPath, tokens);
    journal = await open(journalPath, 'a');
    lines = tokens.size;
  }

  return {
    found,
    append,
    rowsOf: (token) => {
      const line = tokens.get(token);
      return line === undefined ? undefined : Number(line.split(' ')[2]);
    },
    seal: async (isDue) => {
      const due = [...openOnes.values()].filter(isDue);
      for (const segment of due) {
        openOnes.delete(segment.table);
        await segment.file.close();
      }
      return due;
    },
    remove: ({ path }) => unlink(path),
    close: async () => {
      for (const { file } of openOnes.values()) await file.close();
      openOnes.clear();
      await journal.close();
    },
    setAside: ({ path }) => rename(path, `${path}.refused`),
  };
}

async function recover(
  directory: string,
  journalPath: string,
): Promise<{ tokens: Map<string, string>; found: Segment[] }> {
  const text = await readFile(journalPath, 'utf8').catch(() => '');
  const names = new Set((await readdir(directory)).filter((name) => NAME.test(name)));
  const tokens = new Map<string, string>();
  const ends = new Map<string, { bytes: number; rows: number }>();
  // Behind the last line end stands a line that was not finished.
  for (const line of text.split('\n').slice(0, -1)) {
    const [name = '', end = '', rows = '', token = ''] = line.split(' ');
    const so = ends.get(name);
    ends.set(name, { bytes: Number(end), rows: (so?.rows ?? 0) + Number(rows) });
    if (token !== '') tokens.set(token, `${line}\n`);
  }
  const found: Segment[] = [];
  for (const name of [...names].sort()) {
    const path = join(directory, name);
    const end = ends.get(name);
    if (end === undefined) {
      await unlink(path);
      continue;
    }
    await truncate(path, end.bytes);
    found.push({ name, path, table: NAME.exec(name)?.[1] ?? '', ...end });
  }
  return { tokens, found };
}

async function rewriteJournal(
  directory: string,
  path: string,
  tokens: ReadonlyMap<string, string>,
): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile([...tokens.values()].join(''));
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
  await syncDirectory(directory);
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync();
  await handle.close();
}
