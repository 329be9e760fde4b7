import { expect, test } from 'vitest';
import { traceOf } from '../../testing/fixture-data.ts';
import { filterFields, hopsOf } from './geometry.ts';

test('the points of one exchange stand from client to server with the time between', () => {
  const { spans } = traceOf('t', 40, 0, 1e6);
  const server = spans[2];
  const client = spans[1];
  if (server === undefined || client === undefined) throw new Error('BUG: fixture too small');
  const hops = hopsOf([server, client, ...spans.slice(3)], client.wireId);
  expect(hops.map((hop) => hop.span.observationPoint)).toEqual(['c-p', 's-p']);
  const between = client.endUs - client.startUs - (server.endUs - server.startUs);
  expect(hops.map((hop) => hop.spentBeforeUs)).toEqual([undefined, between]);
  expect(hops.map((hop) => hop.startsAfterUs)).toEqual([0, server.startUs - client.startUs]);
});

test('fields are found by name or value; empty ones come last', () => {
  const fields = { trace_id: '', zone: 'eu', agent: 'a1', netns: '0' };
  expect(filterFields(fields, '').map(([name]) => name)).toEqual([
    'agent',
    'zone',
    'netns',
    'trace_id',
  ]);
  expect(filterFields(fields, 'EU')).toEqual([['zone', 'eu']]);
  expect(filterFields(fields, 'nothing')).toEqual([]);
});
