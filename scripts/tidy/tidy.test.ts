// The style as a test: each rule says in its message what to do instead.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const LINES_MAX = 400;
const COLUMNS_MAX = 120;

const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '');
const isSource = (path: string): boolean => /\.(ts|tsx|c|h|cc|mjs)$/.test(path);
const isExempt = (path: string): boolean => /\.gen\.|\.test\.|tables\/|scripts\/tidy\//.test(path);
const sources = tracked
  .filter((path) => isSource(path) && !isExempt(path))
  .map((path) => ({ path, lines: readFileSync(root + path, 'utf8').split('\n') }));

function offences(rule: (line: string) => boolean): string[] {
  return sources.flatMap(({ path, lines }) =>
    lines.flatMap((line, at) => (rule(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
}

test('the tree was read', () => {
  expect(sources.length).toBeGreaterThan(30);
});

test('files stay small: split by noun, never into part 2', () => {
  const long = sources.filter(({ lines }) => lines.length > LINES_MAX);
  expect(long.map(({ path, lines }) => `${path}: ${lines.length} lines`)).toEqual([]);
});

test.each([
  {
    rule: 'no line is longer than a screen is wide',
    breaks: (line: string) => line.length > COLUMNS_MAX && !/https?:|d="M|`|^ *[/']/.test(line),
  },
  {
    rule: 'no mark is left in the code: open an issue',
    breaks: (line: string) => /\b(TODO|FIXME|XXX|HACK)\b/.test(line),
  },
  {
    rule: 'no part of a file is called utils, helper or manager: name it by its answer',
    breaks: (line: string) => /\b(function|class|const) \w*(Manager|Helper|Utils)\b/.test(line),
  },
])('$rule', ({ breaks }) => {
  expect(offences(breaks)).toEqual([]);
});

test('process.env is read in config.ts, in entry points and in tests only', () => {
  const readers = sources.filter(
    ({ path, lines }) =>
      !/config\.ts$|main\.ts$|supervisor\.ts$|^scripts\/|terminal/.test(path) &&
      lines.some((line) => line.includes('process.env')),
  );
  expect(readers.map(({ path }) => path)).toEqual([]);
});
