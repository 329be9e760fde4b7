import { expect, test } from 'vitest';
import { z } from 'zod';
import { environmentSource, nearest, parseSettings } from './settings.ts';
import { settingsPage } from './settings-docs.ts';

const schema = z.object({
  port: z.coerce.number().int().min(1).max(65_535).default(20_416).describe('Where it listens.'),
  data_dir: z.string().default('/var/lib/thalweg'),
  token: z.string().min(16).optional().describe('Opens the door.').meta({ isSecret: true }),
});
const file = (given: unknown) => ({ name: 'file f', given, spelling: (key: string) => key });
const options = (given: unknown) => ({
  name: 'command line',
  given,
  spelling: (key: string) => `--${key}`,
});
const parse = (given: unknown, environment = {}, more = {}) =>
  parseSettings(schema, [file(given), environmentSource(environment, 'T_'), options(more)]);

function mistakesOf(result: ReturnType<typeof parse>): readonly string[] {
  return result.kind === 'invalid' ? result.mistakes : [];
}

test('defaults fill what is not given; environment wins over file, options over both', () => {
  const environment = { T_PORT: '2', T_DATA_DIR: '/e' };
  expect(parse({ port: 1 }, environment, { data_dir: '/o', token: undefined })).toEqual({
    kind: 'valid',
    settings: { port: 2, data_dir: '/o' },
    origins: { port: 'environment', data_dir: 'command line' },
  });
});

test('mistakes of all sources are named at once, each with its source and its spelling', () => {
  const result = parse({ port: 'x', datadir: '/d' }, { T_PROT: '3' }, { data_dir: 7 });
  expect(mistakesOf(result)).toEqual([
    'file f: port: expected number, not "x"',
    'file f: unknown key "datadir"; did you mean "data_dir"?',
    'environment: unknown key "T_PROT"; did you mean "T_PORT"?',
    'command line: --data_dir: expected string, not 7',
  ]);
});

test('a wrong value is a mistake also where another source overrides it', () => {
  expect(mistakesOf(parse({ port: 0 }, { T_PORT: '2' }))).toEqual([
    'file f: port: expected number to be >=1, not 0',
  ]);
});

test('a secret is never repeated, and a long value only in part', () => {
  expect(mistakesOf(parse({ token: 'abc', port: 'p'.repeat(500) }))).toEqual([
    'file f: token: expected string to have >=16 characters',
    `file f: port: expected number, not "${'p'.repeat(59)}…`,
  ]);
});

test.each([
  { name: 'a list', given: [1], says: 'file f: not a map of keys to values' },
  { name: 'a key without a value', given: { port: null }, says: 'file f: port: has no value' },
])('$name is a mistake', ({ given, says }) => {
  expect(mistakesOf(parse(given))).toEqual([says]);
});

test('an empty variable is not given', () => {
  expect(parse({}, { T_PORT: '' })).toMatchObject({ settings: { port: 20_416 }, origins: {} });
});

test('nothing near is better than a wild guess', () => {
  expect(nearest('zzzzzz', ['port', 'data_dir'])).toBeUndefined();
});

test('the page has a row for each key, with kind, limits, default and meaning', () => {
  const page = settingsPage([{ name: 'part', prefix: 'T_', schema }]);
  expect(page.split('\n').filter((line) => line.startsWith('| `'))).toEqual([
    '| `port` | number, 1 to 65,535 | 20,416 | Where it listens. |',
    '| `data_dir` | text | `/var/lib/thalweg` |  |',
    '| `token` | text, from 16 characters |  | Opens the door. Never printed. |',
  ]);
});
