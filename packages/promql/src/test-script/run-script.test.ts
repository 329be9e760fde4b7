import { expect, test } from 'vitest';
import { runScript } from './run-script.ts';

const LOAD = `load 1m
  up{job="a"} 0+1x10
  up{job="b"} _ _ 5 stale
  h {{schema:0 sum:4 count:4 buckets:[1 2 1]}}x3
  odd_bucket{le="1"} 2 1 2
  odd_bucket{le="2"} 1 2 3
  odd_bucket{le="+Inf"} 3 4 5

`;

const outcome = async (script: string): Promise<string> => {
  const { passed, failed, skipped } = await runScript(LOAD + script);
  return [`${passed} passed`, ...[...failed, ...skipped].map(({ reason }) => reason)].join('; ');
};

test.each([
  {
    name: 'a value',
    right: 'up{job="a"} 2\n  up{job="b"} 5',
    wrong: 'up{job="a"} 3\n  up{job="b"} 5',
  },
  { name: 'a series too few', right: 'up{job="a"} 2\n  up{job="b"} 5', wrong: 'up{job="a"} 2' },
  {
    name: 'a series too many',
    right: 'up{job="a"} 2\n  up{job="b"} 5',
    wrong: 'up{job="a"} 2\n  up{job="b"} 5\n  up 1',
  },
  {
    name: 'a label',
    right: 'up{job="a"} 2\n  up{job="b"} 5',
    wrong: 'up{job="a"} 2\n  up{job="c"} 5',
  },
])('$name decides', async ({ right, wrong }) => {
  expect(await outcome(`eval instant at 2m up\n  ${right}`)).toBe('1 passed');
  expect(await outcome(`eval instant at 2m up\n  ${wrong}`)).toMatch(/^0 passed; ./);
});

test.each([
  {
    query: 'instant at 2m sort_desc(up)',
    right: 'expect ordered\nup{job="b"} 5\nup{job="a"} 2',
    wrong: 'expect ordered\nup{job="a"} 2\nup{job="b"} 5',
  },
  {
    query: 'instant at 2m rate(up[2m])',
    right: 'expect info\n{job="a"} 0.016666666666666666',
    wrong: 'expect no_info\n{job="a"} 0.016666666666666666',
  },
  {
    query: 'instant at 0 histogram_quantile(0.9, odd_bucket)',
    right: 'expect info\nexpect no_warn\n{} 2',
    wrong: 'expect warn\n{} 2',
  },
  {
    query: 'instant at 2m quantile(2, up)',
    right:
      'expect warn msg: PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)\n{} +Inf',
    wrong: 'expect warn msg: something else\n{} +Inf',
  },
  { query: 'instant at 2m up + on() up', right: 'expect fail', wrong: '{} 1' },
  { query: 'instant at 2m up', right: 'up{job="a"} 2\nup{job="b"} 5', wrong: 'expect fail' },
  {
    query: 'instant at 2m up + on() up',
    right: 'expect fail regex: duplicate series',
    wrong: 'expect fail regex: all is well',
  },
  {
    query: 'range from 0 to 3m step 1m up',
    right: 'up{job="a"} 0 1 2 3\nup{job="b"} _ _ 5 _',
    wrong: 'up{job="a"} 0 1 2 3\nup{job="b"} _ _ 5 5',
  },
  {
    query: 'instant at 0 h',
    right: 'h {{schema:0 sum:4 count:4 buckets:[1 2 1]}}',
    wrong: 'h {{schema:0 sum:4 count:4 buckets:[1 1 2]}}',
  },
  { query: 'instant at 0 1 + 1', right: '2', wrong: '3' },
  { query: 'instant at 0 "a"', right: 'expect string "a"', wrong: 'expect string `b`' },
  {
    query: 'instant at 2m up{job="a"}[2m]',
    right: 'expect range vector from 1m to 2m step 1m\nup{job="a"} 1 2',
    wrong: 'expect range vector from 1m to 2m step 1m\nup{job="a"} 1 3',
  },
])('$query: a right expectation passes, a wrong one fails', async ({ query, right, wrong }) => {
  expect(await outcome(`eval ${query}\n${right}`)).toBe('1 passed');
  expect(await outcome(`eval ${query}\n${wrong}`)).toMatch(/^0 passed; ./);
});

test.each([
  { name: 'an unknown command', script: 'evil 1' },
  { name: 'a bad sample', script: 'load 1m\n  a 1+' },
  { name: 'a sequence without an end', script: 'load 1m\n  a 1x999999999999' },
  { name: 'bad labels', script: 'load 1m\n  a{b} 1\n  c{"} 1' },
  { name: 'an unknown expectation', script: 'eval instant at 0 1\n  expect luck' },
  { name: 'a query that does not parse', script: 'eval instant at 0 1 +\n  1' },
])('$name is a failure with its line', async ({ script }) => {
  const { passed, failed } = await runScript(script);
  expect({ passed, lines: failed.map(({ line }) => line) }).toEqual({ passed: 0, lines: [1] });
});

test('what lies between ignore and resume is not run', async () => {
  expect(
    await outcome('ignore\neval instant at 0 1\n  2\n\nresume\neval instant at 0 1\n  1'),
  ).toBe('1 passed');
});
