import { expect, test } from 'vitest';
import { filterFields } from './geometry.ts';

test('fields are found by name or value, and listed by name', () => {
  const fields = { zone: 'eu', agent: 'a1', trace_id: '5b8aa5' };
  expect(filterFields(fields, '').map(([name]) => name)).toEqual(['agent', 'trace_id', 'zone']);
  expect(filterFields(fields, 'EU')).toEqual([['zone', 'eu']]);
  expect(filterFields(fields, 'nothing')).toEqual([]);
});
