import { expect, test } from 'vitest';
import { runScript } from '../test-script/run-script.ts';
import { xxHash64 } from './labels-hash.ts';

// The expectations follow from the definitions in Prometheus's public docs, worked out by hand.

const LOAD = `load 10s
  c_total 0 10 20 30 5 15 25
  g 1 2 3 4 5
  h {{schema:0 sum:9 count:7 buckets:[1 2 4]}}
  n {{schema:0 sum:-9 count:7 n_buckets:[1 2 4]}}
  custom {{schema:-53 sum:9 count:7 buckets:[1 2 4] custom_values:[1 2]}}
  mixed{a="x"} 1 _
  mixed{a="y"} _ 2
  left{k="a"} 1
  left{k="b"} 2
  right{k="b"} 10
  right{k="c"} 20
  base{job="j", instance="i"} 1
  base{job="other", instance="i"} 2
  target_info{job="j", instance="i", version="1", zone="z"} 1

`;

test.each([
  // Ranges, steps and offsets as expressions.
  ['at 40s sum_over_time(g[10s * 2])', '{} 9'],
  ['at 40s sum_over_time(g[(5 + 5) * 2s])', '{} 9'],
  ['at 40s sum_over_time(g[2 ^ 3 + 12])', '{} 9'],
  ['at 40s sum_over_time(g[1m % 40s])', '{} 9'],
  ['at 40s sum_over_time(g[min(1h, 20s)])', '{} 9'],
  ['at 40s g offset (10s * 2)', 'g 3'],
  ['at 40s g offset -(10s - 30s)', 'g 3'],
  ['at 40s sum_over_time(g[10s:5s * 2])', '{} 5'],
  ['at 40s sum_over_time(g[step()])', 'expect fail'],
  ['at 40s g offset step()', 'g 5'],
  ['at 40s g[1 / 0]', 'expect fail'],
  // Anchored: from the last sample before the range to its last one, nothing extrapolated.
  ['at 35s increase(c_total[20s] anchored)', '{} 20'],
  ['at 45s increase(c_total[20s] anchored)', '{} 15'],
  ['at 45s rate(c_total[20s] anchored)', '{} 0.75'],
  ['at 40s changes(g[20s] anchored)', '{} 2'],
  ['at 45s resets(c_total[10s] anchored)', '{} 1'],
  ['at 10m increase(c_total[20s] anchored)', ''],
  ['at 40s sum_over_time(g[20s] anchored)', 'expect fail'],
  // Smoothed: interpolated at both edges; over a reset from zero.
  ['at 25s increase(c_total[20s] smoothed)', '{} 20'],
  ['at 35s increase(c_total[20s] smoothed)', '{} 17.5'],
  ['at 25s g smoothed', 'g 3.5'],
  // Trimmed histograms keep whole buckets as they are and share out the one that is cut.
  ['at 0 histogram_count(h </ 2)', '{} 3'],
  ['at 0 histogram_count(h >/ 2)', '{} 4'],
  ['at 0 histogram_count(h </ 2) + histogram_count(h >/ 2)', '{} 7'],
  ['at 0 histogram_count(n </ -1)', '{} 6'],
  ['at 0 histogram_count(custom >/ 1.5)', '{} 5'],
  ['at 0 h </ +Inf', 'h {{schema:0 sum:9 count:7 buckets:[1 2 4]}}'],
  ['at 0 h </ -1', 'h {{schema:0}}'],
  ['at 0 g </ 1', 'expect info'],
  // Missing matches stand for the fill value.
  ['at 0 left + right', '{k="b"} 12'],
  ['at 0 left + fill (0) right', '{k="a"} 1\n{k="b"} 12\n{k="c"} 20'],
  ['at 0 left + fill_left (5) right', '{k="b"} 12\n{k="c"} 25'],
  ['at 0 left + fill_right (5) right', '{k="a"} 6\n{k="b"} 12'],
  // Labels of the info series.
  ['at 0 info(base{job="j"})', 'base{job="j", instance="i", version="1", zone="z"} 1'],
  ['at 0 info(base, {version=~".+"})', 'base{job="j", instance="i", version="1"} 1'],
  ['at 0 info(base{job="other"})', 'base{job="other", instance="i"} 2'],
  // Names go at the end of the query, and from a group where they go from one.
  ['at 10s sum by (__name__) (rate(g[30s]))', '{} 0.05'],
  ['at 10s label_replace(-g, "__name__", "minus_$1", "__name__", "(.*)")', 'minus_g -2'],
])('eval instant %s', async (query, expected) => {
  const report = await runScript(`${LOAD}eval instant ${query}\n${expected}\n`);
  expect(report).toEqual({ passed: 1, failed: [], skipped: [] });
});

test.each([
  ['sum_over_time(g[step()])', '{} 1 5 9'],
  ['sum_over_time(g[max(step(), 5s) + 10s] offset -(5s + 5s))', '{} 3 9 9'],
  ['max_over_time(g[range()] @ end())', '{} 5 5 5'],
])('eval range from 0 to 40s step 20s %s', async (query, expected) => {
  const script = `${LOAD}eval range from 0 to 40s step 20s ${query}\n${expected}\n`;
  expect(await runScript(script)).toEqual({ passed: 1, failed: [], skipped: [] });
});

test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Call me Ishmael. Some years ago--never mind how long precisely-', 0x02a2e85470d6fd96n],
])('xxHash64 of %j is that of the reference', (text, hash) => {
  expect(xxHash64([...text].map((character) => character.charCodeAt(0)))).toBe(hash);
});

test('what limit_ratio picks and what its complement picks make the whole', async () => {
  const series = Array.from({ length: 200 }, (_, i) => `  many{i="${i}"} 1`).join('\n');
  const script = `load 1m
${series}

eval instant at 0 count(limit_ratio(0.3, many) or limit_ratio(-0.7, many))
  {} 200

eval instant at 0 count(limit_ratio(0.3, many) and limit_ratio(-0.7, many)) or vector(0)
  {} 0
`;
  expect(await runScript(script)).toEqual({ passed: 2, failed: [], skipped: [] });
});

test('info() takes the newest series of each info metric, step by step', async () => {
  const script = `
load 1m
  m{job="j", instance="i"} 1 1 1
  target_info{job="j", instance="i", v="1"} 1 _ _
  target_info{job="j", instance="i", v="2"} _ 1 _
  build_info{job="j", instance="i", w="9"} 1 1 1

eval instant at 2m info(m)
  m{job="j", instance="i", v="2"} 1

eval instant at 0 info(m, {__name__=~".+_info"})
  m{job="j", instance="i", v="1", w="9"} 1

eval instant at 0 info(m, {nope=~".+"})

eval instant at 0 info(m, {nope=~".*"})
  m{job="j", instance="i"} 1

eval instant at 0 info(m, {__name__="build_info", w=~".*"})
  m{job="j", instance="i", w="9"} 1

eval range from 0 to 2m step 1m info(m)
  m{job="j", instance="i", v="1"} 1 _ _
  m{job="j", instance="i", v="2"} _ 1 1
`;
  expect(await runScript(script)).toEqual({ passed: 6, failed: [], skipped: [] });
});
