import { copyFile, open, readdir, readFile, stat, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { APPENDS_MAX, type JournalGroup, readJournal, sumOf } from './journal-lines.ts';
import type { Segment } from './segments.ts';

export interface RecoveredJournal {
  readonly tokens: Map<string, number>;
  readonly found: Segment[];
  /** Bytes of the file that count. */
  readonly size: number;
  readonly damage: JournalDamage;
}

/** Lines of the journal that were acknowledged and can't be read any more. */
export interface JournalDamage {
  readonly stretches: number;
  /** Files with blocks that only such a line may name: for a human to look at. */
  readonly setAside: readonly string[];
}

const NAME = /^(\w+)\.[\w-]+\.native$/;

/**
 * Reads what an earlier run left and cuts its segments off behind their last line. A line that was
 * not finished does not count. Nor does an append, and what follows it, where the machine went down
 * before both the journal and all blocks were on disk: they are acknowledged in their order, so
 * nobody was told that these are there. Damage to lines that were acknowledged costs no others.
 */
export async function recoverJournal(directory: string, path: string): Promise<RecoveredJournal> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const names = new Set((await readdir(directory)).filter((each) => NAME.test(each)));
  const read = readJournal(bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1));
  const groups = read.splice(0, Math.max(0, read.length - APPENDS_MAX));
  for (const group of read) {
    if (!(await isWhole(directory, group, endsOf(groups), names))) break;
    groups.push(group);
  }
  const tokens = new Map<string, number>();
  for (const { rows, token } of groups.flatMap(({ lines }) => lines)) {
    if (token !== '') tokens.set(token, rows);
  }
  const { end: size, damages } = groups.at(-1) ?? { end: 0, damages: 0 };
  const ends = endsOf(groups);
  const found: Segment[] = [];
  const setAside: string[] = [];
  for (const name of [...names].sort()) {
    const segmentPath = join(directory, name);
    const end = ends.get(name);
    // A line that is lost may have named it, or more of it.
    if (damages > 0 && end?.damages !== damages) {
      const { size: fileBytes } = await stat(segmentPath);
      if (fileBytes > (end?.bytes ?? 0)) {
        await copyFile(segmentPath, `${segmentPath}.damaged`);
        setAside.push(`${name}.damaged`);
      }
    }
    if (end === undefined) {
      await unlink(segmentPath);
      continue;
    }
    const { bytes: segmentBytes, rows } = end;
    await truncate(segmentPath, segmentBytes);
    const table = NAME.exec(name)?.[1] ?? '';
    found.push({ name, path: segmentPath, table, rows, bytes: segmentBytes });
  }
  return { tokens, found, size, damage: { stretches: damages, setAside } };
}

/** What is known of a segment, and the damages before the last line that names it. */
interface SegmentEnd {
  readonly bytes: number;
  readonly rows: number;
  readonly damages: number;
}
type Ends = ReadonlyMap<string, SegmentEnd>;

function endsOf(groups: readonly JournalGroup[]): Ends {
  const ends = new Map<string, SegmentEnd>();
  for (const { lines, damages } of groups) {
    for (const { name, end, rows } of lines) {
      ends.set(name, { bytes: end, rows: (ends.get(name)?.rows ?? 0) + rows, damages });
    }
  }
  return ends;
}

/** Whether what the group names is on disk. A segment that is gone was whole when it was sealed. */
async function isWhole(
  directory: string,
  { lines, sum, text, damages }: JournalGroup,
  before: Ends,
  names: ReadonlySet<string>,
): Promise<boolean> {
  if (sum === undefined || lines.some(({ name }) => !names.has(name))) return true;
  // Where its blocks begin is not known when the line before it is lost: their end must do.
  const isDoubtful = lines.some(({ name }) => (before.get(name)?.damages ?? 0) !== damages);
  let read = sumOf(text);
  const starts = new Map([...before].map(([name, { bytes }]) => [name, bytes]));
  for (const { name, end } of lines) {
    const start = starts.get(name) ?? 0;
    const block = await readStretch(join(directory, name), start, end);
    if (block === undefined) return false;
    read = sumOf(block, read);
    starts.set(name, end);
  }
  return read === sum || isDoubtful;
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
