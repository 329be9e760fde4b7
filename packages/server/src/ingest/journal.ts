import { constants, type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { GONE, groupHead, type JournalLine, lineOf, sumOf } from './journal-lines.ts';
import { type JournalDamage, recoverJournal } from './recover-journal.ts';
import type { Segment } from './segments.ts';

export interface Journal {
  /** Segments that an earlier run left, cut off behind their last line. */
  readonly found: readonly Segment[];
  readonly damage: JournalDamage;
  rowsOf(token: string): number | undefined;
  /**
   * Puts the lines behind all that were written before; their blocks' bytes, in the order of the
   * lines, are `pieces`. `written` resolves when they are on disk; `size` is the bytes they take.
   */
  write(
    lines: readonly JournalLine[],
    pieces: readonly Uint8Array[],
  ): { readonly size: number; readonly written: Promise<void> };
  /** These lines, the first of those that do not count yet, do from here on. */
  settle(lines: readonly JournalLine[], size: number): void;
  /** Takes back all lines that do not count; none of them may be under way to the disk. */
  rollback(): Promise<void>;
  /** Forgets the oldest tokens and rewrites the file when it has grown; needs the `live` segments. */
  bound(live: Iterable<Segment>): Promise<void>;
  close(): Promise<void>;
}

const TOKENS_MAX = 100_000;
/** A write is on disk when it ends. */
const SYNCED = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC;

/** Opens the journal of a spool directory and takes up what an earlier run left. */
export async function openJournal(directory: string): Promise<Journal> {
  const path = join(directory, 'journal');
  const { tokens, found, size, damage } = await recoverJournal(directory, path);
  let file = await open(path, SYNCED, 0o600);
  /** Where what counts ends, and what was written. */
  let end = size;
  let written = size;
  let lineCount = Number.POSITIVE_INFINITY;
  // Behind the last line end stands a line that was not finished.
  await file.truncate(end);
  await bound(found);

  async function bound(live: Iterable<Segment>): Promise<void> {
    for (const token of tokens.keys()) {
      if (tokens.size <= TOKENS_MAX) break;
      tokens.delete(token);
    }
    if (lineCount < 2 * TOKENS_MAX) return;
    const whole = [
      ...[...tokens].map(([token, rows]) => lineOf({ name: GONE, end: 0, rows, token })),
      ...[...live].map(({ name, bytes, rows }) => lineOf({ name, end: bytes, rows, token: '' })),
    ];
    try {
      const text = Buffer.from(whole.join(''));
      const next = await rewritten(directory, path, text);
      await file.close();
      file = next;
      end = text.length;
      written = end;
      lineCount = whole.length;
    } catch {
      // No room for a second journal: the long one stays, and is tried again later.
      lineCount = TOKENS_MAX;
    }
  }

  return {
    found,
    damage,
    rowsOf: (token) => tokens.get(token),
    write: (added, pieces) => {
      const lines = Buffer.from(added.map(lineOf).join(''));
      const sum = pieces.reduce((before, piece) => sumOf(piece, before), sumOf(lines));
      const text = Buffer.concat([Buffer.from(groupHead(added.length, sum)), lines]);
      const start = written;
      written += text.length;
      return { size: text.length, written: writeAll(file, [text], start) };
    },
    settle: (added, size) => {
      end += size;
      lineCount += added.length + 1;
      for (const { token, rows } of added) if (token !== '') tokens.set(token, rows);
    },
    rollback: async () => {
      written = end;
      await file.truncate(end);
    },
    bound,
    close: () => file.close(),
  };
}

/** Puts a whole new journal in the place of the old one. */
async function rewritten(directory: string, path: string, text: Uint8Array): Promise<FileHandle> {
  const file = await open(`${path}.new`, SYNCED | constants.O_TRUNC, 0o600);
  try {
    await writeAll(file, [text], 0);
    await rename(`${path}.new`, path);
    await syncDirectory(directory);
    return file;
  } catch (cause) {
    await file.close();
    await unlink(`${path}.new`).catch(() => undefined);
    throw cause;
  }
}

/** A disk that is nearly full takes a part of the bytes and reports no error. */
export async function writeAll(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let at = position;
  for (let left = pieces; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, at);
    at += bytesWritten;
    left = behind(left, bytesWritten);
  }
}

/** The pieces without their first `count` bytes. */
function behind(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = count;
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - rest.length;
    return rest.length === 0 ? [] : [rest];
  });
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync();
  await handle.close();
}
