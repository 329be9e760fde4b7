import { expect, test } from 'vitest';
import { alignedLines } from './aligned.ts';

test.each([
  { name: 'no rows', rows: [], lines: [] },
  {
    name: 'columns as wide as their widest',
    rows: [
      ['a', 'b'],
      ['ccc', 'd'],
    ],
    lines: ['a    b', 'ccc  d'],
  },
  { name: 'rows of different length', rows: [['a'], ['bb', 'c']], lines: ['a', 'bb  c'] },
  {
    name: 'nothing behind the last cell',
    rows: [
      ['a', ''],
      ['b', 'cc'],
    ],
    lines: ['a', 'b  cc'],
  },
])('$name', ({ rows, lines }) => {
  expect(alignedLines(rows)).toEqual(lines);
});
