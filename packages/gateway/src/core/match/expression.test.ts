import { expect, test } from 'vitest';
import { compileExpression } from './expression.ts';

const VALUES: Readonly<Record<string, string | readonly string[]>> = {
  n: '5',
  s: 'json',
  empty: '',
  ip: '10.0.0.7',
  list: ['a', 'b'],
};

function holds(rule: unknown): boolean | string {
  const compiled = compileExpression(rule);
  return compiled.kind === 'invalid' ? compiled.reason : compiled.holds((name) => VALUES[name]);
}

test.each([
  { rule: [], want: true },
  { rule: [['n', '==', 5]], want: true },
  { rule: [['n', '==', '5']], want: true },
  { rule: [['s', '==', 5]], want: false },
  { rule: [['s', '~=', 5]], want: true },
  { rule: [['s', 'json']], want: true },
  { rule: [['missing', '==', null]], want: true },
  { rule: [['missing', '~=', null]], want: false },
  { rule: [['n', '>', 4]], want: true },
  { rule: [['n', '>=', '5']], want: true },
  { rule: [['n', '<', 5]], want: false },
  { rule: [['s', '<', 5]], want: false },
  { rule: [['s', '~~', '^js']], want: true },
  { rule: [['s', '~*', 'JSON']], want: true },
  { rule: [['missing', '~~', '.*']], want: false },
  { rule: [['n', 'in', ['4', '5']]], want: true },
  { rule: [['n', 'IN', [4, 5]]], want: true },
  { rule: [['list', 'has', 'b']], want: true },
  { rule: [['list', '!', 'has', 'b']], want: false },
  { rule: [['ip', 'ipmatch', ['10.0.0.0/24']]], want: true },
  { rule: [['ip', '!', 'ipmatch', '10.0.0.0/24']], want: false },
  { rule: ['OR', ['n', '==', 1], ['s', '==', 'json']], want: true },
  { rule: ['!AND', ['n', '==', 5], ['s', '==', 'json']], want: false },
  { rule: ['!OR', ['n', '==', 1], ['n', '==', 2]], want: true },
  {
    rule: [
      ['n', '==', 5],
      ['OR', ['s', '==', 'x'], ['n', '==', 1]],
    ],
    want: false,
  },
  { rule: [['n', 'like', 5]], want: "invalid operator 'like'" },
  { rule: ['n', '==', 5], want: 'rule should be wrapped inside brackets' },
  { rule: ['OR', ['n', '==', 5]], want: 'rule too short' },
  { rule: [['n', '!', '==']], want: "bad 'not' expression" },
  { rule: [['ip', 'ipmatch', '300.0.0.0']], want: 'invalid ip address' },
  { rule: [[]], want: 'rule too short' },
  { rule: [{}], want: 'rule too short' },
])('$rule is $want', ({ rule, want }) => {
  expect(holds(rule)).toBe(want);
});

test('nesting is bounded', () => {
  let rule: unknown = ['n', '==', 5];
  for (let i = 0; i < 100; i++) rule = ['OR', rule, rule];
  expect(holds(rule)).toBe('rule is nested too deeply');
});
