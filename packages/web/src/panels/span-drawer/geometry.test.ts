import { expect, test } from 'vitest';
import { filterFields } from './geometry.ts';

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
