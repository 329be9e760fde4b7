import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPostgresqlDecoder } from './decoder.ts';
import { looksLikePostgresql } from './frame.ts';
import { createPostgresqlStream } from './stream.ts';

const seed = 20_260_101;
type Part = Uint8Array | { readonly gap: number } | 'turn' | 'close';

/** A message: a tag (none for a start-up), its length, its payload. Strings end with their own zero. */
function message(tag: string, payload: string | readonly number[] = ''): Uint8Array {
  const body = typeof payload === 'string' ? [...new TextEncoder().encode(payload)] : payload;
  const size = body.length + 4;
  const length = [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255];
  return Uint8Array.from([...new TextEncoder().encode(tag), ...length, ...body]);
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
const sync = message('S');
const ready = message('Z', 'I');
const startup = message('', [
  0,
  3,
  0,
  0,
  ...new TextEncoder().encode('user\0bob\0database\0shop\0\0'),
]);
const query = (sql: string): Uint8Array => message('Q', `${sql}\0`);
const parse = (name: string, sql: string): Uint8Array => message('P', `${name}\0${sql}\0\0\0`);
const bind = (name: string): Uint8Array =>
  message('B', `\0${name}\0\0\0\0\x01\0\0\0\x06secret\0\0`);
const execute = message('E', '\0\0\0\0\0');
const failed = (code: string, text: string): Uint8Array =>
  message('E', `SERROR\0VERROR\0C${code}\0M${text}\0\0`);

/** What a decoder tells of one direction, such as `Q SELECT ? (15/15)`, `ok SELECT 1 (20/20)`. */
function told(isAsking: boolean, parts: readonly Part[]): string[] {
  const lines: string[] = [];
  let open = '';
  const stream = createPostgresqlStream(isAsking);
  const decoder = createPostgresqlDecoder({
    sink: {
      start: () => undefined,
      request: (_, { type, sql, domain }) => {
        open = [type, sql, domain].filter(Boolean).join(' ');
      },
      answer: (_, { outcome, error, result }) => {
        open = [outcome, error, result].filter(Boolean).join(' ');
      },
      end: ({ size, captured }) => lines.push(`${open} (${captured}/${size})`),
      trouble: (_, trouble) => lines.push(`! ${trouble}`),
    },
  });
  for (const part of parts) {
    if (part === 'turn') decoder.turn(stream);
    else if (part === 'close') decoder.close(stream);
    else if (part instanceof Uint8Array) decoder.push(stream, part, 0, part.length);
    else decoder.gap(stream, part.gap);
  }
  return lines;
}

const texts = (isAsking: boolean, parts: readonly Part[]): string[] =>
  told(isAsking, parts).map((line) => line.replace(/ \(\d+\/\d+\)$/, ''));

describe('requests', () => {
  test.each([
    { name: 'a simple query', bytes: query("SELECT 'x', 5"), shown: ['Q SELECT ?, ?'] },
    {
      name: 'an extended query is one request',
      bytes: joined(parse('', 'SELECT $1'), bind(''), execute, sync),
      shown: ['P SELECT $1'],
    },
    {
      name: 'a prepared statement is known by its name',
      bytes: joined(parse('s1', 'SELECT $1'), sync, bind('s1'), execute, sync),
      shown: ['P SELECT $1', 'E SELECT $1'],
    },
    {
      name: 'one that was prepared unseen has no text',
      bytes: joined(bind('s2'), execute, sync),
      shown: ['E'],
    },
    {
      name: 'a start-up names its database, the password is no request',
      bytes: joined(startup, message('p', 'secret\0'), query('SELECT 1')),
      shown: ['startup shop', 'Q SELECT ?'],
    },
    {
      name: 'requests for encryption, copied data and the good-bye are none',
      bytes: joined(
        message('', [0x04, 0xd2, 0x16, 0x2f]),
        message('d', 'secret'),
        message('c'),
        message('X'),
      ),
      shown: [],
    },
  ])('$name', ({ bytes, shown }) => {
    expect(texts(true, [bytes])).toEqual(shown);
  });

  test('parameters that were not captured are skipped by their length', () => {
    const long = message('B', `\0\0${'x'.repeat(5000)}`);
    const parts = [
      joined(parse('', 'SELECT $1'), long.subarray(0, 100)),
      { gap: long.length - 100 },
      joined(execute, sync),
    ];
    expect(texts(true, parts)).toEqual(['P SELECT $1']);
  });

  test('a gap beyond the end of a statement costs the rest of the turn, not the next one', () => {
    const parts = [query(`SELECT 'secret', a`).subarray(0, 12), { gap: 900 }, 'turn' as const];
    expect(told(true, [...parts, query('SELECT a')])).toEqual([
      'Q SELECT (12/912)',
      '! gap',
      'Q SELECT a (14/14)',
    ]);
  });
});

describe('answers', () => {
  test.each([
    {
      name: 'rows and a command tag',
      bytes: joined(message('T', '\0\0'), message('D', '\0\0'), message('C', 'SELECT 1\0'), ready),
      shown: ['success SELECT 1'],
    },
    {
      name: 'a login, settings and notices',
      bytes: joined(
        message('R', [0, 0, 0, 0]),
        message('S', 'TimeZone\0UTC\0'),
        message('K', [0, 0, 0, 1, 0, 0, 0, 2]),
        ready,
        message('N', 'SNOTICE\0\0'),
        message('A', [0, 0, 0, 1, 99, 0, 0]),
      ),
      shown: ['success'],
    },
    {
      name: 'a mistake of the client, whose text names an object',
      bytes: joined(failed('42P01', 'relation "t" does not exist'), ready),
      shown: ['client-error 42P01 relation "t" does not exist'],
    },
    {
      name: 'a mistake in data, whose text may hold it',
      bytes: joined(failed('22P02', 'invalid input syntax for type integer: "secret"'), ready),
      shown: ['client-error 22P02'],
    },
    {
      name: 'a failure of the server',
      bytes: joined(failed('53300', 'too many clients already'), ready),
      shown: ['server-error 53300 too many clients already'],
    },
    { name: 'a refusal of encryption', bytes: Uint8Array.of(0x4e), shown: [] },
  ])('$name', ({ bytes, shown }) => {
    expect(texts(false, [bytes])).toEqual(shown);
  });

  test('a login that is refused ends with the connection', () => {
    expect(texts(false, [failed('28P01', 'no'), 'close'])).toEqual(['client-error 28P01 no']);
  });
});

test.each([
  { name: 'another protocol', parts: [new TextEncoder().encode('hello, world')] },
  { name: 'a length below its own size', parts: [Uint8Array.of(0x43, 0, 0, 0, 3)] },
  { name: 'a length that is too large', parts: [Uint8Array.of(0x43, 0x7f, 255, 255, 255)] },
  { name: 'a gap between answers', parts: [{ gap: 10 }] },
])('$name is given up, and found again at the next turn', ({ parts }) => {
  const lines = texts(false, [...parts, ready, 'turn', message('C', 'BEGIN\0'), ready]);
  expect(lines.filter((line) => line.startsWith('!'))).toHaveLength(1);
  expect(lines.at(-1)).toBe('success BEGIN');
});

const asked = joined(
  startup,
  query('SELECT a, 1'),
  parse('s', `SELECT ${'a, '.repeat(2000)}`),
  bind('s'),
  execute,
  sync,
  bind('s'),
  sync,
);
const answers = joined(
  message('R', [0, 0, 0, 0]),
  message('S', 'a\0b\0'),
  ready,
  message('D', 'x'.repeat(300)),
  message('C', 'SELECT 1\0'),
  ready,
  failed('42601', 'é'),
  ready,
);

test.each([
  { isAsking: true, bytes: asked, count: 4 },
  { isAsking: false, bytes: answers, count: 3 },
])(
  'any split of the stream decodes to the same (asking: $isAsking)',
  ({ isAsking, bytes, count }) => {
    const whole = told(isAsking, [bytes]);
    expect(whole).toHaveLength(count);
    const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (at) => {
        const edges = [0, ...at.sort((a, b) => a - b), bytes.length];
        const parts = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
        expect(told(isAsking, parts)).toEqual(whole);
      }),
      { seed, numRuns: 60 },
    );
  },
);

test('never throws on arbitrary bytes, and keeps its sizes in order', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(sync, ready, startup, query('SELECT 1'), bind('s'), failed('42601', 'x')),
    fc.record({ gap: fc.nat(9) }),
    fc.constantFrom('turn' as const, 'close' as const),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(piece, { maxLength: 30 }), (isAsking, parts) => {
      for (const line of told(isAsking, parts)) {
        const [, captured, size] = /\((\d+)\/(\d+)\)$/.exec(line) ?? [];
        if (captured !== undefined) expect(Number(captured)).toBeLessThanOrEqual(Number(size));
      }
    }),
    { seed },
  );
});

const extended = joined(parse('', 'SELECT 1'), bind(''), execute, sync);

test.each([
  { name: 'a start-up', bytes: startup, length: startup.length, is: true },
  { name: 'a query', bytes: query('SELECT 1'), length: 14, is: true },
  { name: 'an extended query', bytes: extended, length: extended.length, is: true },
  { name: 'a prefix of one', bytes: extended.subarray(0, 30), length: extended.length, is: true },
  {
    name: 'HTTP',
    bytes: new TextEncoder().encode('POST / HTTP/1.1\r\n\r\n'),
    length: 19,
    is: false,
  },
  { name: 'a wrong length', bytes: query('SELECT 1'), length: 13, is: false },
  { name: 'nothing', bytes: new Uint8Array(0), length: 0, is: false },
])('$name begins a request: $is', ({ bytes, length, is }) => {
  expect(looksLikePostgresql(bytes, 0, bytes.length, length)).toBe(is);
});
