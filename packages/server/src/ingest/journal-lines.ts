import { crc32 } from 'node:zlib';

/** One block: the segment that it is in, where it ends there, its rows and the sender's token. */
export interface JournalLine {
  readonly name: string;
  readonly end: number;
  readonly rows: number;
  /** '' when no sender repeats it under a name. */
  readonly token: string;
}

/** The lines of one append, or a line that stands without a head. */
export interface JournalGroup {
  readonly lines: readonly JournalLine[];
  /** Of the file: behind the group. */
  readonly end: number;
  /** As its head says it; undefined without one. */
  readonly sum: number | undefined;
  /** Of the lines as they stand in the file. */
  readonly text: Buffer;
  /** Stretches before it that are no lines. */
  readonly damages: number;
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

/**
 * The CRC-32 of `bytes` behind what has the sum `before`. Node's answers 0 for no bytes that came from
 * another thread, whatever was before. Source: zlib.h, a null buffer begins anew.
 */
export const sumOf = (bytes: Uint8Array, before = 0): number =>
  bytes.length === 0 ? before : crc32(bytes, before);

const LINE = /^(\S+) (\d+) (\d+) (\S*)$/;
const HEAD = /^= (\d+) ([0-9a-f]+)$/;

/**
 * The groups of a journal that count, but for a look at their blocks. What is no group ends them where
 * a crash may have left it: there zeros, or the file's end, stand in the place of a write that was
 * under way, with fewer than `APPENDS_MAX` behind it. Anything else was on disk once: it is passed
 * over, for what follows was acknowledged.
 */
export function readJournal(bytes: Buffer): JournalGroup[] {
  const groups: JournalGroup[] = [];
  /** By damage: the groups before it, and whether it may be a hole that a crash left. */
  const damages: { readonly before: number; readonly mayBeHole: boolean }[] = [];
  let hasHeads = false;
  for (let at = 0; at < bytes.length; ) {
    const group = groupAt(bytes, at, damages.length);
    if (group !== undefined) {
      hasHeads ||= group.sum !== undefined;
      groups.push(group);
      at = group.end;
      continue;
    }
    hasHeads ||= HEAD.test(lineAt(bytes, at));
    const next = nextGroupAt(bytes, at, hasHeads);
    const mayBeHole = next === bytes.length || bytes.subarray(at, next).includes(0);
    damages.push({ before: groups.length, mayBeHole });
    at = next;
  }
  const crash = damages.find(({ before, mayBeHole }) => {
    const behind = groups.slice(before).filter(({ sum }) => sum !== undefined);
    return mayBeHole && behind.length < APPENDS_MAX;
  });
  return crash === undefined ? groups : groups.slice(0, crash.before);
}

/** Where the next group may begin. Behind the first head, only a head begins one. */
function nextGroupAt(bytes: Buffer, from: number, needsHead: boolean): number {
  for (let at = endOfLine(bytes, from); at < bytes.length; at = endOfLine(bytes, at)) {
    const line = lineAt(bytes, at);
    if (HEAD.test(line) || (!needsHead && LINE.test(line))) return at;
  }
  return bytes.length;
}

/** Undefined: what stands there is no line, or a head without its lines. */
function groupAt(bytes: Buffer, start: number, damages: number): JournalGroup | undefined {
  const head = HEAD.exec(lineAt(bytes, start));
  const textAt = head === null ? start : endOfLine(bytes, start);
  const lines: JournalLine[] = [];
  let end = textAt;
  for (let left = Number(head?.[1] ?? 1); left > 0; left -= 1) {
    const line = readLine(lineAt(bytes, end));
    if (line === undefined) return undefined;
    lines.push(line);
    end = endOfLine(bytes, end);
  }
  const sum = head === null ? undefined : Number.parseInt(head[2] ?? '', 16);
  return { lines, end, sum, text: bytes.subarray(textAt, end), damages };
}

/** Without its line feed; '' at the end. */
function lineAt(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start, Math.max(start, endOfLine(bytes, start) - 1));
}

/** Behind the line feed: `bytes` ends with one. */
function endOfLine(bytes: Buffer, start: number): number {
  const feed = bytes.indexOf(0x0a, start);
  return feed < 0 ? bytes.length : feed + 1;
}

function readLine(text: string): JournalLine | undefined {
  const [, name, end, rows, token = ''] = LINE.exec(text) ?? [];
  return name === undefined ? undefined : { name, end: Number(end), rows: Number(rows), token };
}
