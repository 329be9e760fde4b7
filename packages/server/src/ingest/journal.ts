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
import type { Segment } from './segments.ts';

/** One block: the segment that it is in, where it ends there, its rows and the sender's token. */
export interface JournalLine {
  readonly name: string;
  readonly end: number;
  readonly rows: number;
  /** '' when no sender repeats it under a name. */
  readonly token: string;
}

export interface Journal {
  /** Segments that an earlier run left, cut off behind their last line. */
  readonly found: readonly Segment[];
  rowsOf(token: string): number | undefined;
  /** On disk when it resolves; when it rejects, the journal is as it was before. */
  add(lines: readonly JournalLine[]): Promise<void>;
  /** Forgets the oldest tokens and rewrites the file when it has grown; needs the `live` segments. */
  bound(live: Iterable<Segment>): Promise<void>;
  close(): Promise<void>;
}

const TOKENS_MAX = 100_000;
const NAME = /^(\w+)\.[\w-]+\.native$/;
const LINE = /^(\S+) (\d+) (\d+) (\S*)$/;
/** Stands for a segment that is gone: the line only remembers a token. */
const GONE = '-';

/** Opens the journal of a spool directory and takes up what an earlier run left. */
export async function openJournal(directory: string): Promise<Journal> {
  const path = join(directory, 'journal');
  const { tokens, found, size } = await recover(directory, path);
  let file = await open(path, 'a').then(async (handle) => {
    await handle.close();
    return open(path, 'r+');
  });
  let end = size;
  let lines = Number.POSITIVE_INFINITY;
  // Behind the last line end stands a line that was not finished.
  await file.truncate(end);
  await bound(found);

  async function bound(live: Iterable<Segment>): Promise<void> {
    for (const token of tokens.keys()) {
      if (tokens.size <= TOKENS_MAX) break;
      tokens.delete(token);
    }
    if (lines < 2 * TOKENS_MAX) return;
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
      lines = whole.length;
    } catch {
      // No room for a second journal: the long one stays, and is tried again later.
      lines = TOKENS_MAX;
    }
  }

  return {
    found,
    rowsOf: (token) => tokens.get(token),
    add: async (added) => {
      const text = Buffer.from(added.map(lineOf).join(''));
      try {
        await writeAll(file, [text], end);
        await file.datasync();
      } catch (cause) {
        await file.truncate(end);
        throw cause;
      }
      end += text.length;
      lines += added.length;
      for (const { token, rows } of added) if (token !== '') tokens.set(token, rows);
    },
    bound,
    close: () => file.close(),
  };
}

const lineOf = ({ name, end, rows, token }: JournalLine): string =>
  `${name} ${end} ${rows} ${token}\n`;

async function recover(
  directory: string,
  path: string,
): Promise<{ tokens: Map<string, number>; found: Segment[]; size: number }> {
  const text = await readFile(path, 'latin1').catch(() => '');
  const size = text.lastIndexOf('\n') + 1;
  const tokens = new Map<string, number>();
  const ends = new Map<string, { bytes: number; rows: number }>();
  for (const line of text.slice(0, size).split('\n')) {
    const [, name = '', end, count, token = ''] = LINE.exec(line) ?? [];
    if (name === '') continue;
    const rows = Number(count);
    ends.set(name, { bytes: Number(end), rows: (ends.get(name)?.rows ?? 0) + rows });
    if (token !== '') tokens.set(token, rows);
  }
  const found: Segment[] = [];
  for (const name of (await readdir(directory)).filter((each) => NAME.test(each)).sort()) {
    const segmentPath = join(directory, name);
    const end = ends.get(name);
    if (end === undefined) {
      await unlink(segmentPath);
      continue;
    }
    await truncate(segmentPath, end.bytes);
    found.push({ name, path: segmentPath, table: NAME.exec(name)?.[1] ?? '', ...end });
  }
  return { tokens, found, size };
}

/** Puts a whole new journal in the place of the old one. */
async function rewritten(directory: string, path: string, text: Uint8Array): Promise<FileHandle> {
  const file = await open(`${path}.new`, 'w+', 0o600);
  try {
    await writeAll(file, [text], 0);
    await file.sync();
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
