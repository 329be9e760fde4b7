import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Entry, openSegments, type Segments } from './segments.ts';

const entryOf = (table: string, token: string, text: string): Entry => {
  const bytes = Buffer.from(text);
  return { table, token, rows: 1, bytes: bytes.length, pieces: [bytes] };
};

/** A spool of two appends: `one` of two tables, then `two`; closed, as a kill leaves it. */
async function twoAppends(): Promise<{ directory: string; segment: string; journal: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'thalweg-segments-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const segments = await openSegments(directory, Date.now);
  await segments.append([entryOf('spans', 'one', 'first '), entryOf('traces', '', 'other')]);
  await segments.append([entryOf('spans', 'two', 'second')]);
  await segments.close();
  const name = readdirSync(directory).find((each) => each.startsWith('spans.')) ?? '';
  return { directory, segment: join(directory, name), journal: join(directory, 'journal') };
}

/** What the next run finds, by table, and which tokens it knows. */
async function recovered(directory: string): Promise<unknown> {
  const segments = await openSegments(directory, Date.now);
  const found = segments.found.map(({ table, rows, path }) => [
    table,
    rows,
    readFileSync(path, 'latin1'),
  ]);
  const tokens = ['one', 'two'].filter((token) => segments.rowsOf(token) !== undefined);
  await segments.close();
  return { found, tokens };
}

const FIRST = {
  found: [
    ['spans', 1, 'first '],
    ['traces', 1, 'other'],
  ],
  tokens: ['one'],
};
const BOTH = {
  found: [
    ['spans', 2, 'first second'],
    ['traces', 1, 'other'],
  ],
  tokens: ['one', 'two'],
};

test('what was appended is found by each later run', async () => {
  const { directory } = await twoAppends();
  expect(await recovered(directory)).toEqual(BOTH);
  expect(await recovered(directory)).toEqual(BOTH);
});

test('a block counts with a piece that is empty and from another thread', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'thalweg-segments-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const segments = await openSegments(directory, Date.now);
  const empty = new ArrayBuffer(0);
  const piece = new Uint8Array(structuredClone(empty, { transfer: [empty] }));
  const entry = entryOf('spans', 'one', 'first ');
  await segments.append([{ ...entry, pieces: [...entry.pieces, piece] }]);
  await segments.close();
  expect(await recovered(directory)).toEqual({
    found: [['spans', 1, 'first ']],
    tokens: ['one'],
  });
});

test.each([
  {
    name: 'a block of which a part is on disk',
    damage: ({ segment }: { segment: string }) => truncateSync(segment, 9),
  },
  {
    name: 'a block of which other bytes are on disk',
    damage: ({ segment }: { segment: string }) => writeFileSync(segment, 'first \0\0\0\0\0\0'),
  },
  {
    name: 'a journal whose last line is cut off',
    damage: ({ journal }: { journal: string }) => {
      truncateSync(journal, readFileSync(journal).length - 3);
    },
  },
  {
    name: 'a journal that lacks the last line',
    damage: ({ journal }: { journal: string }) => {
      const lines = readFileSync(journal, 'latin1').split('\n');
      writeFileSync(journal, `${lines.slice(0, -2).join('\n')}\n`);
    },
  },
])('the last append does not count with $name, and the one before does', async ({ damage }) => {
  const spool = await twoAppends();
  damage(spool);
  expect(await recovered(spool.directory)).toEqual(FIRST);
  expect(await recovered(spool.directory)).toEqual(FIRST);
});

test('of appends under way together none counts that follows one of which a part is missing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'thalweg-segments-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const segments = await openSegments(directory, Date.now);
  const texts = ['first ', 'second ', 'third ', 'fourth ', 'fifth '];
  const ended: string[] = [];
  await Promise.all(
    texts.map(async (text) => {
      await segments.append([entryOf('spans', text.trim(), text)]);
      ended.push(text);
    }),
  );
  expect(ended).toEqual(texts);
  await segments.close();
  const name = readdirSync(directory).find((each) => each.startsWith('spans.')) ?? '';
  const path = join(directory, name);
  // As if the third never came to the disk.
  writeFileSync(path, readFileSync(path, 'latin1').replace('third', '\0\0\0\0\0'));
  const next = await openSegments(directory, Date.now);
  expect(next.found.map(({ rows }) => rows)).toEqual([2]);
  expect(readFileSync(path, 'latin1')).toBe('first second ');
  expect(['second', 'third', 'fourth'].map(next.rowsOf)).toEqual([1, undefined, undefined]);
  await next.append([entryOf('spans', 'again', 'again')]);
  await next.close();
});

test('of appends under way together none counts whose journal lines stand behind ones that are missing', async () => {
  const { directory, journal } = await twoAppends();
  const bytes = readFileSync(journal);
  const second = bytes.lastIndexOf('= ');
  const hole = Buffer.alloc(second);
  // As if the first never came to the disk, and the second did.
  writeFileSync(journal, Buffer.concat([hole, bytes.subarray(second)]));
  expect(await recovered(directory)).toEqual({ found: [], tokens: [] });
});

test('a segment that was inserted and removed does not take its append with it', async () => {
  const { directory, segment } = await twoAppends();
  rmSync(segment);
  expect(await recovered(directory)).toEqual({
    found: [['traces', 1, 'other']],
    tokens: ['one', 'two'],
  });
});

/** A spool of `first ` and `second` in a file that an inserted segment of two megabytes left. */
async function usedAgain(): Promise<{ directory: string; path: string; segments: Segments }> {
  const directory = mkdtempSync(join(tmpdir(), 'thalweg-segments-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const segments = await openSegments(directory, Date.now);
  await segments.append([entryOf('spans', 'large', 'x'.repeat(2 ** 21))]);
  for (const sealed of await segments.seal(() => true)) await segments.remove(sealed);
  await segments.append([entryOf('spans', 'one', 'first ')]);
  await segments.append([entryOf('spans', 'two', 'second')]);
  const name = readdirSync(directory).find((each) => each.startsWith('spans.')) ?? '';
  const path = join(directory, name);
  expect(statSync(path).size).toBe(2 ** 21);
  return { directory, path, segments };
}

test('a file that is used again holds only what was appended, once it is sealed or found', async () => {
  const { directory, path, segments } = await usedAgain();
  await segments.close();
  const next = await openSegments(directory, Date.now);
  expect(next.found.map(({ rows, bytes }) => [rows, bytes])).toEqual([[2, 12]]);
  expect(readFileSync(path, 'latin1')).toBe('first second');
  await next.close();
  const other = await usedAgain();
  const [sealed] = await other.segments.seal(() => true);
  expect(readFileSync(sealed?.path ?? '', 'latin1')).toBe('first second');
  await other.segments.close();
});

test('an append does not count where a file that is used again has its old bytes still', async () => {
  const { directory, path, segments } = await usedAgain();
  await segments.close();
  writeFileSync(path, readFileSync(path, 'latin1').replace('second', 'xxxxxx'));
  expect(await recovered(directory)).toEqual({ found: [['spans', 1, 'first ']], tokens: ['one'] });
});

test('a file that waits to be used again is gone after a restart', async () => {
  const { directory, segments } = await usedAgain();
  await segments.append([entryOf('spans', 'three', 'x'.repeat(2 ** 20))]);
  for (const sealed of await segments.seal(() => true)) await segments.remove(sealed);
  expect(readdirSync(directory)).toHaveLength(2);
  await segments.close();
  expect(await recovered(directory)).toMatchObject({ found: [] });
  expect(readdirSync(directory)).toEqual(['journal']);
});

test('a journal without sums, of an earlier version, is taken as it is', async () => {
  const { directory, journal } = await twoAppends();
  const lines = readFileSync(journal, 'latin1').split('\n');
  writeFileSync(journal, lines.filter((line) => !line.startsWith('=')).join('\n'));
  expect(await recovered(directory)).toEqual(BOTH);
});

const WORDS = ['first ', 'second ', 'third ', 'fourth ', 'fifth ', 'sixth ', 'seventh '];

/** A spool of `WORDS`, each an append to `spans` under its own token; `alone` is another table's. */
async function sevenAppends(alone: string): Promise<{ directory: string; journal: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'thalweg-segments-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const segments = await openSegments(directory, Date.now);
  for (const word of WORDS) {
    const table = word === alone ? 'traces' : 'spans';
    await segments.append([entryOf(table, word.trim(), word)]);
  }
  await segments.close();
  return { directory, journal: join(directory, 'journal') };
}

/** Writes other bytes over the line of the token `second`, and over its head with `head`. */
function damageSecond(journal: string, filling: string, head = false): void {
  const text = readFileSync(journal, 'latin1');
  const lineEnd = text.indexOf(' second\n') + ' second'.length;
  const lineStart = text.lastIndexOf('\n', lineEnd - 1) + 1;
  const start = head ? text.lastIndexOf('\n', lineStart - 2) + 1 : lineStart;
  const damaged = filling.repeat(lineEnd - start);
  writeFileSync(journal, text.slice(0, start) + damaged + text.slice(lineEnd), 'latin1');
}

test.each([
  { name: 'a line', filling: 'x', head: false },
  { name: 'a head and its line', filling: 'x', head: true },
  { name: 'a line, to zeros', filling: '\0', head: false },
])('damage to $name amid acknowledged ones costs the token it hit', async (damage) => {
  const { directory, journal } = await sevenAppends('');
  damageSecond(journal, damage.filling, damage.head);
  const next = await openSegments(directory, Date.now);
  expect(next.damage).toEqual({ stretches: 1, setAside: [] });
  expect(next.found.map(({ path }) => readFileSync(path, 'latin1'))).toEqual([WORDS.join('')]);
  const known = WORDS.map((word) => word.trim()).filter((token) => next.rowsOf(token) === 1);
  expect(known).toEqual(['first', 'third', 'fourth', 'fifth', 'sixth', 'seventh']);
  await next.close();
  const later = await openSegments(directory, Date.now);
  expect(later.damage).toEqual({ stretches: 0, setAside: [] });
  expect(later.found.map(({ bytes }) => bytes)).toEqual([WORDS.join('').length]);
  await later.close();
});

test('a segment that only a damaged line names is set aside', async () => {
  const { directory, journal } = await sevenAppends('second ');
  damageSecond(journal, 'x');
  const next = await openSegments(directory, Date.now);
  const name = readdirSync(directory).find((each) => each.startsWith('traces.')) ?? '';
  expect(next.damage).toEqual({ stretches: 1, setAside: [name] });
  expect(name).toMatch(/\.damaged$/);
  expect(readFileSync(join(directory, name), 'latin1')).toBe('second ');
  expect(next.found.map(({ table }) => table)).toEqual(['spans']);
  await next.close();
});
