import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from './json.ts';
import { splitJson } from './json-items.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

test.each([
  { name: 'depth', text: '['.repeat(100_000), reason: 'JSON deeper than 6 at byte 6' },
  { name: 'values', text: `[${'0,'.repeat(20)}0]`, reason: 'JSON of more than 10 values' },
  { name: 'syntax', text: '{"a":}', reason: expect.stringMatching(/^not JSON: /) },
])('parsing refuses too much $name before it costs anything', ({ text, reason }) => {
  const limits = { depthMax: 6, valuesMax: 10 };
  expect(parseJson(encoder.encode(text), limits)).toEqual({ kind: 'invalid', reason });
});

test('brackets and commas in strings do not count', () => {
  const text = JSON.stringify({ a: `\\"${'[,'.repeat(100)}` });
  const limits = { depthMax: 2, valuesMax: 4 };
  expect(parseJson(encoder.encode(text), limits)).toEqual({
    kind: 'decoded',
    value: JSON.parse(text),
  });
});

test('items of an array, of lines and of values behind each other are the same pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }),
      (values) => {
        const texts = values.map((value) => JSON.stringify(value));
        const pretty = values.map((value) => JSON.stringify(value, null, 2));
        const bodies = [
          `[${texts.join()}]`,
          texts.join('\n'),
          texts.join(''),
          ` [ ${pretty.join(' ,\n')} ]\n`,
        ];
        for (const [at, body] of bodies.entries()) {
          const bytes = encoder.encode(body);
          const items = splitJson(bytes, 100);
          if (items.kind === 'invalid') throw new Error(items.reason);
          const pieces = items.value.map(({ from, to }) =>
            decoder.decode(bytes.subarray(from, to)),
          );
          expect(pieces).toEqual(at === 3 ? pretty : texts);
        }
      },
    ),
    { seed: 31 },
  );
});

test('a line that is no JSON does not take the next one along', () => {
  const bytes = encoder.encode('{"a":"unclosed\n{"b":1}\n');
  expect(splitJson(bytes, 10)).toEqual({
    kind: 'decoded',
    value: [
      { from: 0, to: 14 },
      { from: 15, to: 22 },
    ],
  });
});

test.each([
  { name: 'an array that is cut off', text: '[{"a":1},{"b"', reason: 'the array is not closed' },
  { name: 'a missing comma', text: '[{} {}]', reason: 'no comma behind item 0 at byte 4' },
  { name: 'more than an array', text: '[{}] x', reason: 'more behind the array at byte 5' },
  { name: 'too many items', text: '[1,2,3,4]', reason: 'more than 3 items' },
])('$name is refused', ({ text, reason }) => {
  expect(splitJson(encoder.encode(text), 3)).toEqual({ kind: 'invalid', reason });
});

test('any bytes are split into pieces that do not overlap, or refused', () => {
  const letters = fc.constantFrom(...'[]{}",:\\ \n1a');
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 40 }), (text) => {
      const items = splitJson(encoder.encode(text.join('')), 100);
      if (items.kind === 'invalid') return;
      let last = 0;
      for (const { from, to } of items.value) {
        expect(from).toBeGreaterThanOrEqual(last);
        expect(to).toBeGreaterThan(from);
        last = to;
      }
    }),
    { seed: 32, numRuns: 2_000 },
  );
});
