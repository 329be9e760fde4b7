import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeInfluxLines } from './lines.ts';
import type { InfluxPoint, InfluxValue } from './point.ts';

const encoder = new TextEncoder();
const decode = (text: string, precision = 'ns') =>
  decodeInfluxLines(encoder.encode(text), precision);

function pointsOf(text: string, precision = 'ns'): readonly InfluxPoint[] {
  const answer = decode(text, precision);
  if (answer.kind === 'invalid') throw new Error(answer.reason);
  expect(answer.value.firstRefusal).toBeUndefined();
  return answer.value.items;
}

const float = (number: number): InfluxValue => ({ kind: 'float', number });

test.each([
  {
    name: 'tags, fields and time',
    line: 'cpu,host=a,cpu=cpu0 usage=1.5,idle=2 1700000000000000001',
    point: {
      measurement: 'cpu',
      tags: [
        ['host', 'a'],
        ['cpu', 'cpu0'],
      ],
      fields: [
        ['usage', float(1.5)],
        ['idle', float(2)],
      ],
      timestampNs: 1_700_000_000_000_000_001n,
    },
  },
  {
    name: 'no tags and no time',
    line: 'm f=-.5e-3',
    point: { measurement: 'm', tags: [], fields: [['f', float(-0.0005)]], timestampNs: undefined },
  },
  {
    name: 'every type',
    line: 'm a=1i,b=-9223372036854775808i,c=18446744073709551615u,d=t,e=FALSE,f="x \\"y\\" \\\\ , = z"',
    point: {
      measurement: 'm',
      tags: [],
      fields: [
        ['a', { kind: 'integer', number: 1, digits: '1' }],
        ['b', { kind: 'integer', number: -(2 ** 63), digits: '-9223372036854775808' }],
        ['c', { kind: 'unsigned', number: 2 ** 64, digits: '18446744073709551615' }],
        ['d', { kind: 'boolean', isTrue: true }],
        ['e', { kind: 'boolean', isTrue: false }],
        ['f', { kind: 'string', text: 'x "y" \\ , = z' }],
      ],
      timestampNs: undefined,
    },
  },
  {
    name: 'escapes; a backslash before another letter stays',
    line: 'my\\ m\\,x,t\\=a\\ g=v\\,1\\ 2 f\\,x=1,C:\\dir=2',
    point: {
      measurement: 'my m,x',
      tags: [['t=a g', 'v,1 2']],
      fields: [
        ['f,x', float(1)],
        ['C:\\dir', float(2)],
      ],
      timestampNs: undefined,
    },
  },
  {
    name: 'a line break in a quoted string',
    line: 'm f="a\nb",g=1',
    point: {
      measurement: 'm',
      tags: [],
      fields: [
        ['f', { kind: 'string', text: 'a\nb' }],
        ['g', float(1)],
      ],
      timestampNs: undefined,
    },
  },
  {
    name: 'an equals sign in the measurement, a quote in a tag',
    line: 'a=b,t="x f=1',
    point: {
      measurement: 'a=b',
      tags: [['t', '"x']],
      fields: [['f', float(1)]],
      timestampNs: undefined,
    },
  },
])('reads $name', ({ line, point }) => {
  expect(pointsOf(line)).toEqual([point]);
});

test.each([
  { precision: 'ns', stamp: '1700000000123456789', ns: 1_700_000_000_123_456_789n },
  { precision: 'us', stamp: '1700000000123456', ns: 1_700_000_000_123_456_000n },
  { precision: 'u', stamp: '-1', ns: -1_000n },
  { precision: 'ms', stamp: '1700000000123', ns: 1_700_000_000_123_000_000n },
  { precision: 's', stamp: '1700000000', ns: 1_700_000_000_000_000_000n },
  { precision: 'm', stamp: '2', ns: 120_000_000_000n },
  { precision: 'h', stamp: '1', ns: 3_600_000_000_000n },
])('a timestamp in $precision is nanoseconds', ({ precision, stamp, ns }) => {
  expect(pointsOf(`m f=1 ${stamp}`, precision)[0]?.timestampNs).toBe(ns);
});

test('comments, empty lines and carriage returns are passed over', () => {
  expect(pointsOf('# "hi\n\n m f=1\r\n#\nm f=2\n\n').map(({ fields }) => fields)).toEqual([
    [['f', float(1)]],
    [['f', float(2)]],
  ]);
});

test.each([
  { line: ',a=b f=1', reason: 'missing measurement' },
  { line: 'm', reason: 'missing fields' },
  { line: 'm,a=b', reason: 'missing fields' },
  { line: 'm,a f=1', reason: 'missing value of tag "a"' },
  { line: 'm,a= f=1', reason: 'missing value of tag "a"' },
  { line: 'm,a=1=2 f=1', reason: 'tag "a" has a bare =' },
  { line: 'm,a=1,a=2 f=1', reason: 'tag "a" twice' },
  { line: 'm f', reason: 'field "f" has no value' },
  { line: 'm f=', reason: 'field "f": missing value' },
  { line: 'm f=nan', reason: 'field "f": "nan" is no float, integer, boolean or string' },
  { line: 'm f=1.5i', reason: 'field "f": "1.5i" is no float, integer, boolean or string' },
  { line: 'm f=-1u', reason: 'field "f": "-1u" is no float, integer, boolean or string' },
  { line: 'm f=9223372036854775808i', reason: 'field "f": "9223372036854775808i" is out of range' },
  { line: 'm f=1e999', reason: 'field "f": "1e999" is out of range' },
  { line: 'm f="a"b', reason: 'field "f" is followed by more' },
  { line: 'm f="a', reason: 'field "f": unbalanced quotes' },
  { line: 'm f=1 12x', reason: 'bad timestamp "12x"' },
  { line: 'm f=1 9223372036854775808', reason: 'timestamp out of range' },
])('refuses $line', ({ line, reason }) => {
  expect(decode(line)).toEqual({
    kind: 'decoded',
    value: { items: [], refused: 1, firstRefusal: { at: 0, reason } },
  });
});

test('a bad line costs itself only, and is named by its number', () => {
  const answer = decode('m f=1\nm f="x\ny"\nbroken\nm f=2\nbroken too');
  expect(answer).toMatchObject({
    kind: 'decoded',
    value: { refused: 2, firstRefusal: { at: 3, reason: 'missing fields' } },
  });
  expect(answer.kind === 'decoded' && answer.value.items.length).toBe(3);
});

test('an unknown precision is refused', () => {
  expect(decode('m f=1', 'days')).toMatchObject({ kind: 'invalid' });
});

test('what is written in line protocol is read', () => {
  const name = fc
    .stringMatching(/^[a-zA-Z0-9 ,=."\u00e9-]{1,12}$/)
    .filter((text) => !/^[ #"]/.test(text));
  const escaped = (text: string, letters: RegExp): string => text.replace(letters, '\\$&');
  const point = fc.record({
    measurement: name,
    tags: fc.uniqueArray(fc.tuple(name, name), { maxLength: 4, selector: ([key]) => key }),
    field: name,
    text: fc.string({ maxLength: 20 }).filter((text) => !text.endsWith('\\')),
    number: fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
    stamp: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
  });
  fc.assert(
    fc.property(point, ({ measurement, tags, field, text, number, stamp }) => {
      const tagText = tags.map(
        ([key, value]) => `,${escaped(key, /[,= ]/g)}=${escaped(value, /[,= ]/g)}`,
      );
      const key = escaped(field, /[,= ]/g);
      const quoted = `"${escaped(text, /["\\]/g)}"`;
      const line = `${escaped(measurement, /[, ]/g)}${tagText.join('')} ${key}=${quoted},n=${number} ${stamp}`;
      const wanted: InfluxPoint = {
        measurement,
        tags,
        fields: [
          [field, { kind: 'string', text }],
          ['n', { kind: 'float', number }],
        ],
        timestampNs: stamp,
      };
      expect(pointsOf(`${line}\n${line}`)).toEqual([wanted, wanted]);
    }),
    { seed: 11 },
  );
});

test('never throws on arbitrary text', () => {
  const letters = fc.constantFrom(...'m,=" \\\n\r#1iut.e-"', 'é', '\u0000');
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 60 }), (text) => void decode(text.join(''))),
    { seed: 12, numRuns: 2_000 },
  );
});

test('hostile bodies take bounded work', () => {
  const openQuotes = decode('m f="\n'.repeat(200_000));
  expect(openQuotes.kind).toBe('decoded');
  const manyTags = decode(`m,${Array.from({ length: 100_000 }, (_, i) => `t${i}=1`).join()} f=1`);
  expect(manyTags).toMatchObject({ value: { firstRefusal: { reason: 'more than 256 tags' } } });
});
