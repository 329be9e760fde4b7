import { expect, test } from 'vitest';
import { HeaderFields } from './header-fields.ts';

test('what a configuration makes of names and values begins no line of its own', () => {
  const fields = new HeaderFields();
  fields.set('X-Id\r\nEvil: 1', 'a\r\nEvil: 2');
  fields.add('', 'b');
  fields.add('Größe', 'c');
  expect(fields.list.map(({ text, start, end }) => text.slice(start, end))).toEqual([
    'X-Id__Evil__1: a Evil: 2\r\n',
    '_: b\r\n',
    'Gr__e: c\r\n',
  ]);
  expect(fields.get('x-id__evil__1')).toBe('a Evil: 2');
});
