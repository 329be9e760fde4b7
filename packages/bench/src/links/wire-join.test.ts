import { expect, test } from 'vitest';
import type { SpanRecord } from './span-record.ts';
import { wireJoin } from './wire-join.ts';

const span = (isServer: boolean, pid: number, path: string, wireId: bigint): SpanRecord => ({
  isServer,
  pid,
  tid: pid,
  path,
  startUs: 0,
  endUs: 1,
  wireId,
  parentWireId: 0n,
  probability: 0,
});

test.each([
  { name: 'both ends agree', ids: [1n, 1n], share: 1 },
  { name: 'they do not', ids: [1n, 2n], share: 0 },
])('$name', ({ ids: [client = 0n, server = 0n], share }) => {
  const both = [span(false, 1, '/c/a/0', client), span(true, 2, '/c/a/0', server)];
  expect(wireJoin([...both, span(false, 1, '/c/unseen/0', 9n)])).toBe(share);
});

test('a process is not the other end of its own call, and paths without an id say nothing', () => {
  const own = [span(false, 1, '/r/a', 1n), span(true, 1, '/r/a', 1n)];
  const same = [span(false, 1, '/', 1n), span(true, 2, '/', 1n)];
  expect(wireJoin([...own, ...same])).toBeNaN();
});
