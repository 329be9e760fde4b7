import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBodyDecoder } from './body-decoder.ts';
import type { Framing } from './head.ts';

interface Decoded {
  readonly text: string;
  readonly trailers: readonly string[];
  readonly isDone: boolean;
  /** What follows the body in the stream. */
  readonly rest: string;
}

/** Decodes `pieces`; undefined when the framing is broken. */
function decode(framing: Framing, pieces: readonly Buffer[]): Decoded | undefined {
  let text = '';
  let rest = '';
  let trailers: readonly string[] = [];
  const decoder = createBodyDecoder(framing, {
    data: (bytes) => (text += bytes.toString('latin1')),
    end: (fields) => (trailers = fields?.list.map(({ spelling }) => spelling) ?? []),
  });
  for (const piece of pieces) {
    const next = decoder.isDone() ? 0 : decoder.take(piece, 0);
    if (next < 0) return undefined;
    rest += piece.toString('latin1', next);
  }
  return { text, trailers, isDone: decoder.isDone(), rest };
}

const chunked = (text: string) => decode({ kind: 'chunked' }, [Buffer.from(text, 'latin1')]);

const STREAM = '4\r\nWiki\r\nA;x="y"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nGET / HTTP/1.1\r\n';

test('any split of the stream decodes to the same body, trailers and rest', () => {
  const want = {
    text: 'Wiki0123456789',
    trailers: ['X-Sum'],
    isDone: true,
    rest: 'GET / HTTP/1.1\r\n',
  };
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: STREAM.length - 1 })), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
      const pieces = at.slice(1).map((end, i) => Buffer.from(STREAM.slice(at[i], end)));
      expect(decode({ kind: 'chunked' }, pieces)).toEqual(want);
    }),
    { seed: 5, numRuns: 500 },
  );
});

test.each([
  { name: 'no size', text: '\r\nabc\r\n' },
  { name: 'a signed size', text: '+4\r\nWiki\r\n' },
  { name: 'a prefixed size', text: '0x4\r\nWiki\r\n' },
  { name: 'space before the size', text: ' 4\r\nWiki\r\n' },
  { name: 'a size of 9 digits', text: '100000000\r\n' },
  { name: 'a size line that only LF ends', text: '4\nWiki\r\n' },
  { name: 'a return within the size line', text: '4\rx\nWiki\r\n' },
  { name: 'a chunk longer than its size', text: '3\r\nWiki\r\n' },
  { name: 'a chunk that only LF ends', text: '4\r\nWiki\n' },
  { name: 'an endless extension', text: `4;${'x'.repeat(300)}` },
  { name: 'a folded trailer', text: '0\r\nA: b\r\n c\r\n\r\n' },
])('refuses $name', ({ text }) => {
  expect(chunked(text)).toBeUndefined();
});

test('a length takes exactly so many octets', () => {
  const pieces = ['ab', 'cd', 'ef'].map((text) => Buffer.from(text));
  expect(decode({ kind: 'length', bytes: 3 }, pieces)).toMatchObject({ text: 'abc', rest: 'def' });
});

test('arbitrary octets never throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), (pieces) => {
      decode(
        { kind: 'chunked' },
        pieces.map((piece) => Buffer.from(piece)),
      );
    }),
    { seed: 5, numRuns: 2_000 },
  );
});
