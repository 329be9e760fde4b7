import { expect, test } from 'vitest';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';

const KINDS = ['flat', 'round'] as const;
const command: Command = {
  name: 'try',
  summary: 'Tries.',
  positionals: [{ name: 'FILE', doc: 'a file' }],
  options: {
    count: { type: 'number', doc: 'how many', default: 3, min: 1, max: 9 },
    json: { type: 'boolean', doc: 'as JSON' },
    only: { type: 'list', doc: 'these' },
    name: { type: 'string', doc: 'its name' },
    kind: { type: 'choice', doc: 'which', choices: KINDS, default: 'round' },
    port: { type: 'number', doc: 'port', setting: { part: 'server', key: 'port' } },
  },
  examples: [],
  run: async () => undefined,
};
const parse = (line: string) => parseArguments(command, line === '' ? [] : line.split(' '));

test('options, lists and defaults are read, before and behind the arguments', () => {
  const values = parse('--only 1 FILE --only=2 --json --name=x');
  expect({
    count: values.number('count'),
    json: values.flag('json'),
    only: values.list('only'),
    name: values.text('name'),
    positionals: values.positionals,
  }).toEqual({ count: 3, json: true, only: ['1', '2'], name: 'x', positionals: ['FILE'] });
});

test('what was not given is undefined, false or empty', () => {
  const values = parse('F');
  expect([values.text('name'), values.flag('json'), values.list('only')]).toEqual([
    undefined,
    false,
    [],
  ]);
});

test('a choice is one of its values, or the default', () => {
  const choice = (line: string) => parse(line).choice('kind', KINDS);
  expect([choice('F --kind flat'), choice('F')]).toEqual(['flat', 'round']);
});

test('`-` is an argument, and nothing behind `--` is an option', () => {
  expect(parse('-').positionals).toEqual(['-']);
  expect(parse('-- --json').positionals).toEqual(['--json']);
});

test.each([
  { line: '', says: 'FILE is missing' },
  { line: 'a b', says: '"b" is one argument too many' },
  { line: 'a --jsn', says: 'unknown option --jsn; did you mean --json?' },
  { line: 'a --zzzzzzzz', says: 'unknown option --zzzzzzzz' },
  { line: 'a --json=yes', says: '--json takes no value' },
  { line: 'a --name', says: '--name needs a value' },
  { line: 'a --count 10', says: '--count is "10", not a whole number from 1 to 9' },
  { line: 'a --kind square', says: '--kind is "square", not flat or round' },
  { line: 'a --count=', says: '--count is "", not a whole number from 1 to 9' },
])('`try $line` is refused: $says', ({ line, says }) => {
  expect(() => parse(line)).toThrow(expect.objectContaining({ message: says, code: 'usage' }));
});

test('an option of a setting is handed on as given, to be checked with the other settings', () => {
  const source = parse('a --port many').settings('server');
  expect([source.given, source.spelling('port'), source.spelling('host')]).toEqual([
    { port: 'many' },
    '--port',
    'host',
  ]);
  expect(parse('a --port 1').settings('agent').given).toEqual({});
});
