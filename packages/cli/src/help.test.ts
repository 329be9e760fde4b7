import { expect, test } from 'vitest';
import type { Command } from './command.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { commandHelp, overallHelp } from './help.ts';

const command: Command = {
  name: 'try',
  summary: 'Tries.',
  positionals: [{ name: 'FILE', doc: 'a file' }],
  options: {
    count: { type: 'number', doc: 'how many', default: 3 },
    kind: { type: 'choice', doc: 'which', choices: ['flat', 'round'] },
    dir: { type: 'string', doc: 'where', value: 'DIR' },
    json: { type: 'boolean', doc: 'as JSON' },
  },
  examples: ['thalweg try x'],
  run: async () => undefined,
};

test('a command’s page has usage, arguments, options with defaults, examples and exit codes', () => {
  const [page = '', codes = ''] = commandHelp(command).split('exit codes:\n');
  expect(page).toBe(`Tries.

usage: thalweg try FILE [options]

  FILE: a file

options:
  --count N          how many (default 3)
  --kind flat|round  which
  --dir DIR          where
  --json             as JSON
  --help             print this

examples:
  thalweg try x

`);
  expect(codes.trim().split('\n')).toHaveLength(Object.keys(EXIT_CODES).length);
});

test('the first page has a line for each command', () => {
  expect(overallHelp([command])).toContain('\n  try  Tries.\n');
});
