import { open, readdir, readFile, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Segment } from './segments.ts';

/** One block: the segment that it is in, where it ends there, its rows and the sender's token. */
export interface JournalLine {
  readonly name: string;
  readonly end: number;
  readonly rows: number;
  /** '' when no sender repeats it under a name. */
  readonly token: string;
}

/** Appends that may be under way to the disk at one time: so many may lack a part after a crash. */
export const APPENDS_MAX = 4;

/** Stands for a segment that is gone: the line only remembers a token. */
export const GONE = '-';

export const lineOf = ({ name, end, rows, token }: JournalLine): string =>
  `${name} ${end} ${rows} ${token}\n`;

/**
 * Stands before the lines of one append; `sum` is the CRC-32 of these lines and of the bytes that
 * they name. Lines without a head before them are known to be on disk with what they name.
 */
export const groupHead = (lines: number, sum: number): string => `= ${lines} ${sum.toString(16)}\n`;

export interface RecoveredJournal {
  readonly tokens: Map<string, number>;
  readonly found: Segment[];
  /** Bytes of the file that count. */
  readonly size: number;
}

/**
 * The CRC-32 of `bytes` behind what has the sum `before`. Node's answers 0 for no bytes that came from
 * another thread, whatever was before. Source: zlib.h, a null buffer begins anew.
 */
export const sumOf = (bytes: Uint8Array, before = 0): number =>
  bytes.length === 0 ? before : crc32(bytes, before);

const NAME = /^(\w+)\.[\w-]+\.native$/;
const LINE = /^(\S+) (\d+) (\d+) (\S*)$/;
const HEAD = /^= (\d+) ([0-9a-f]+)$/;

interface Group {
  readonly lines: readonly JournalLine[];
  /** Of the file, without the group. */
  readonly start: number;
  readonly sum: number | undefined;
  /** Of the lines as they stand in the file. */
  readonly text: Buffer;
}

/**
 * Reads what an earlier run left and cuts its segments off behind their last line. A line that was
 * not finished does not count. Nor does an append, and what follows it, where the machine went down
 * before both the journal and all blocks were on disk: they are acknowledged in their order, so
 * nobody was told that these are there.
 */
export async function recoverJournal(directory: string, path: string): Promise<RecoveredJournal> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const names = new Set((await readdir(directory)).filter((each) => NAME.test(each)));
  const read = groupsOf(bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1));
  const groups = read.splice(0, Math.max(0, read.length - APPENDS_MAX));
  for (const group of read) {
    if (!(await isWhole(directory, group, endsOf(groups), names))) break;
    groups.push(group);
  }
  const tokens = new Map<string, number>();
  for (const { rows, token } of groups.flatMap(({ lines }) => lines)) {
    if (token !== '') tokens.set(token, rows);
  }
  const ends = endsOf(groups);
  const found: Segment[] = [];
  for (const name of [...names].sort()) {
    const segmentPath = join(directory, name);
    const end = ends.get(name);
    if (end === undefined) {
      await unlink(segmentPath);
      continue;
    }
    await truncate(segmentPath, end.bytes);
    found.push({ name, path: segmentPath, table: NAME.exec(name)?.[1] ?? '', ...end });
  }
  const size = groups.reduce((_, { start, text, sum, lines }) => {
    return start + text.length + (sum === undefined ? 0 : groupHead(lines.length, sum).length);
  }, 0);
  return { tokens, found, size };
}

type Ends = ReadonlyMap<string, { readonly bytes: number; readonly rows: number }>;

function endsOf(groups: readonly Group[]): Ends {
  const ends = new Map<string, { bytes: number; rows: number }>();
  for (const { name, end, rows } of groups.flatMap(({ lines }) => lines)) {
    ends.set(name, { bytes: end, rows: (ends.get(name)?.rows ?? 0) + rows });
  }
  return ends;
}

/**
 * Of whole lines. A group that lacks lines ends the list, as does what is no line: where a crash
 * came before the write, zeros stand before the groups that were written behind it.
 */
function groupsOf(bytes: Buffer): Group[] {
  const groups: Group[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    let end = bytes.indexOf(0x0a, at) + 1;
    const head = HEAD.exec(bytes.toString('latin1', at, end - 1));
    const count = Number(head?.[1] ?? 1);
    if (head !== null) at = end;
    for (let left = head === null ? 0 : count; left > 0; left -= 1) {
      end = bytes.indexOf(0x0a, end) + 1;
      if (end === 0) return groups;
    }
    const text = bytes.subarray(at, end);
    const lines = text.toString('latin1').split('\n').flatMap(readLine);
    if (lines.length !== count) return groups;
    const sum = head === null ? undefined : Number.parseInt(head[2] ?? '', 16);
    groups.push({ lines, start, sum, text });
    at = end;
  }
  return groups;
}

function readLine(text: string): JournalLine[] {
  const [, name, end, rows, token = ''] = LINE.exec(text) ?? [];
  return name === undefined ? [] : [{ name, end: Number(end), rows: Number(rows), token }];
}

/** Whether what the group names is on disk. A segment that is gone was whole when it was sealed. */
async function isWhole(
  directory: string,
  { lines, sum, text }: Group,
  before: Ends,
  names: ReadonlySet<string>,
): Promise<boolean> {
  if (sum === undefined || lines.some(({ name }) => !names.has(name))) return true;
  let read = sumOf(text);
  const starts = new Map([...before].map(([name, { bytes }]) => [name, bytes]));
  for (const { name, end } of lines) {
    const start = starts.get(name) ?? 0;
    const block = await readStretch(join(directory, name), start, end);
    if (block === undefined) return false;
    read = sumOf(block, read);
    starts.set(name, end);
  }
  return read === sum;
}

/** Undefined when the file ends before `end`. */
async function readStretch(path: string, start: number, end: number): Promise<Buffer | undefined> {
  const file = await open(path, 'r');
  try {
    if (end < start || end > (await file.stat()).size) return undefined;
    const bytes = Buffer.alloc(end - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    return bytesRead === bytes.length ? bytes : undefined;
  } finally {
    await file.close();
  }
}
