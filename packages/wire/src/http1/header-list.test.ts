import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHeaderList, headerHash } from './header-list.ts';

const name = fc.constantFrom('host', 'accept', 'via', 'etag');
const value = fc.oneof(fc.constantFrom('', 'a', 'ab', 'ba', 'x'.repeat(65)), fc.string());
const heads = fc.array(fc.array(fc.tuple(name, value), { maxLength: 20 }), { maxLength: 60 });

test('lists come out as they went in, however many share a slot', () => {
  const list = createHeaderList();
  fc.assert(
    fc.property(heads, (all) => {
      const kept = all.map((headers) => {
        list.begin();
        for (const header of headers) list.add(header, headerHash(header));
        return list.end();
      });
      expect(kept).toEqual(all);
    }),
    { seed: 20_416 },
  );
});

test('equal lists are one object, long values are not held', () => {
  const list = createHeaderList();
  const listOf = (text: string) => {
    list.begin();
    list.add(['host', text], headerHash(['host', text]));
    return list.end();
  };
  expect(listOf('shop')).toBe(listOf('shop'));
  expect(listOf('x'.repeat(65))).not.toBe(listOf('x'.repeat(65)));
});
