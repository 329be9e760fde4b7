import { expect, test } from 'vitest';
import { readAssignments } from './retention.ts';

test('assignments are numbers, or null to take a choice back; what is no number is left to the server', () => {
  expect(readAssignments('set', ['a=1', 'b.c=default', 'd=1h'])).toEqual({
    given: { a: 1, 'b.c': null, d: '1h' },
    mistakes: [],
  });
});

test('every assignment that is none is named', () => {
  expect(readAssignments('set-bytes', ['a', 'b=', '=3', 'c=1', 'c=2']).mistakes).toEqual([
    '--set-bytes: "a" is not TABLE=VALUE',
    '--set-bytes: "b=" is not TABLE=VALUE',
    '--set-bytes: "=3" is not TABLE=VALUE',
    '--set-bytes: c is given twice',
  ]);
});
