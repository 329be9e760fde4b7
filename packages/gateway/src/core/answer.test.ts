import { expect, test } from 'vitest';
import { answerBytes, errorPage } from './answer.ts';

test.each([
  { name: 'nothing', body: undefined, want: '' },
  { name: 'text', body: 'a', want: 'a' },
  { name: 'an object', body: { a: 1 }, want: '{"a":1}\n' },
])('$name is sent as $want', ({ body, want }) => {
  expect(answerBytes(body).toString()).toBe(want);
});

test('a failure of the proxying has a page', () => {
  expect(String(errorPage(502).body)).toContain('<h1>502 Bad Gateway</h1>');
});
