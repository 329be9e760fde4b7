import { expect, test } from 'vitest';
import { countedText, mergedText } from './merged-text.ts';

const text = (requests: number, active: number, reachable: number): string =>
  [
    '# HELP g_http_status Requests.',
    '# TYPE g_http_status counter',
    `g_http_status{code="200",route="a b"} ${requests}`,
    '# TYPE g_latency histogram',
    `g_latency_bucket{le="+Inf"} ${requests}`,
    `g_latency_sum{} ${requests / 4}`,
    '# TYPE g_connections gauge',
    `g_connections{state="active"} ${active}`,
    '# TYPE g_etcd_reachable gauge',
    `g_etcd_reachable ${reachable}`,
    '',
  ].join('\n');

test('counters, histograms and gauges of a process are summed; others are the first one’s', () => {
  const merged = mergedText([text(3, 1, 0), text(5, 2, 1)], (name) => name === 'g_connections');
  expect(merged.split('\n')).toEqual(text(8, 3, 0).split('\n'));
});

test('a series that only one process has is there', () => {
  const other = '# TYPE g_http_status counter\ng_http_status{code="502"} 1\n';
  const merged = mergedText([text(3, 1, 1), other], () => false);
  expect(merged).toContain('g_http_status{code="200",route="a b"} 3\ng_http_status{code="502"} 1');
});

test('of a process that has ended only what is counted stays', () => {
  expect(countedText(text(3, 1, 1), () => false)).not.toContain('gauge');
  expect(countedText(text(3, 1, 1), (name) => name === 'g_connections')).toContain(
    'g_connections{state="active"} 1',
  );
});
