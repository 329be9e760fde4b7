import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedisDecoder, looksLikeRedis } from './decoder.ts';
import { createRedisStream } from './stream.ts';

const seed = 20_260_101;
const encoder = new TextEncoder();
type Part = string | Uint8Array | { readonly gap: number } | 'turn' | 'close';

/** What a decoder tells of one direction: `ask GET k (34/34)`, `Array (9/9)`, `! not-redis`. */
function told(isAsking: boolean, parts: readonly Part[]): string[] {
  const lines: string[] = [];
  let open = '';
  const stream = createRedisStream(isAsking);
  const decoder = createRedisDecoder({
    sink: {
      start: () => {
        open = '';
      },
      command: (_, { name, statement }) => {
        open = `${name}: ${statement}`;
      },
      reply: (_, { type, error }) => {
        open = `${type}${error}`;
      },
      end: ({ size, captured }) => lines.push(`${open} (${captured}/${size})`),
      trouble: (_, trouble) => lines.push(`! ${trouble}`),
    },
  });
  for (const part of parts) {
    if (part === 'turn') decoder.turn(stream);
    else if (part === 'close') decoder.close(stream);
    else if (typeof part === 'string' || part instanceof Uint8Array) {
      const bytes = typeof part === 'string' ? encoder.encode(part) : part;
      decoder.push(stream, bytes, 0, bytes.length);
    } else decoder.gap(stream, part.gap);
  }
  return lines;
}

const asked = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`).join('')}`;

describe('commands', () => {
  test.each([
    {
      name: 'reads are shown whole',
      words: ['LRANGE', 'mylist', '0', '299'],
      shown: 'LRANGE mylist 0 299',
    },
    {
      name: 'a stored value is not',
      words: ['SET', 'user:1', 'secret', 'EX', '10'],
      shown: 'SET user:1 ?',
    },
    { name: 'a password is not', words: ['AUTH', 'bob', 'secret'], shown: 'AUTH ?' },
    {
      name: 'HELLO may hold one',
      words: ['HELLO', '3', 'AUTH', 'bob', 'secret'],
      shown: 'HELLO ?',
    },
    {
      name: 'unknown commands show their key',
      words: ['MY.CMD', 'k', 'secret'],
      shown: 'MY.CMD k ?',
    },
    { name: 'no arguments', words: ['PING'], shown: 'PING' },
    { name: 'letters of all kinds', words: ['GET', 'schlüssel'], shown: 'GET schlüssel' },
  ])('$name', ({ words, shown }) => {
    const text = asked(...words);
    const size = encoder.encode(text).length;
    expect(told(true, [text])).toEqual([`${words[0]}: ${shown} (${size}/${size})`]);
  });

  test('an inline command and an empty line before it', () => {
    expect(told(true, ['\r\nget abcd\r\n'])).toEqual(['get: get abcd (10/10)']);
  });

  test('a value that was not captured is skipped by its length', () => {
    const head = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5000\r\nabc';
    const rest = { gap: 4999 };
    const next = asked('GET', 'k');
    expect(told(true, [head, rest, next])).toEqual([
      `SET: SET k ? (${head.length}/${head.length + 4999})`,
      `GET: GET k (${next.length}/${next.length})`,
    ]);
  });

  test('a gap beyond the value costs the rest of the turn, not the next one', () => {
    const head = '*3\r\n$4\r\nMSET\r\n$1\r\nk\r\n$5\r\nab';
    expect(told(true, [head, { gap: 100 }, 'junk', 'turn', asked('PING')])).toEqual([
      `MSET: MSET k ? (${head.length + 4}/${head.length + 104})`,
      'PING: PING (14/14)',
    ]);
  });
});

describe('replies', () => {
  test.each([
    { name: 'a status', text: '+OK\r\n', type: 'Status' },
    { name: 'null', text: '$-1\r\n', type: 'String' },
    { name: 'nested arrays', text: '*2\r\n*2\r\n:1\r\n$1\r\na\r\n*0\r\n', type: 'Array' },
    { name: 'a map of RESP3', text: '%1\r\n+a\r\n#t\r\n', type: 'Map' },
    {
      name: 'attributes before a value',
      text: '|1\r\n+ttl\r\n:3\r\n*1\r\n,1.5\r\n',
      type: 'Array',
    },
    {
      name: 'an error without what it quotes',
      text: "-ERR unknown command 'x', with args beginning with: 'secret' \r\n",
      type: 'Error-ERR unknown command ?, with args beginning with: ? ',
    },
  ])('$name', ({ text, type }) => {
    expect(told(false, [text, text])).toEqual(
      [1, 2].map(() => `${type} (${text.length}/${text.length})`),
    );
  });

  test('a push of RESP3 answers nothing', () => {
    expect(told(false, ['>2\r\n+message\r\n+x\r\n:1\r\n'])).toEqual(['Integer (4/4)']);
  });

  test('an array that goes on unseen lasts until the other side speaks', () => {
    const text = '*3\r\n$1\r\na\r\n';
    expect(told(false, [text, { gap: 50 }, 'turn', '+OK\r\n'])).toEqual([
      `Array (${text.length}/${text.length + 50})`,
      'Status (5/5)',
    ]);
  });
});

test.each([
  { name: 'another protocol', parts: ['hello, world\r\n'] },
  { name: 'too many values', parts: ['*9999999\r\n'] },
  { name: 'a bulk string that is too large', parts: ['$9999999999\r\n'] },
  { name: 'a line without an end', parts: [`+${'x'.repeat(5000)}`] },
  { name: 'a gap before a message', parts: [{ gap: 3 }] },
])('$name is given up, and found again at the next turn', ({ parts }) => {
  const lines = told(false, [...parts, '+lost\r\n', 'turn', '+OK\r\n']);
  expect(lines.at(-1)).toBe('Status (5/5)');
  expect(lines.filter((line) => line.startsWith('!'))).toHaveLength(1);
});

const conversation = encoder.encode(
  `${asked('SET', 'ä', 'v')}PING\r\n${asked('MGET', 'a', 'b')}${asked('GET', 'x'.repeat(1500))}`,
);
const replies = encoder.encode('+OK\r\n*2\r\n$3\r\nä1\r\n:5\r\n-ERR no\r\n%1\r\n+a\r\n*1\r\n_\r\n');

test.each([
  { isAsking: true, bytes: conversation },
  { isAsking: false, bytes: replies },
])(
  'any split of the stream decodes to the same messages (asking: $isAsking)',
  ({ isAsking, bytes }) => {
    const whole = told(isAsking, [bytes]);
    expect(whole).toHaveLength(4);
    const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (at) => {
        const edges = [0, ...at.sort((a, b) => a - b), bytes.length];
        const parts = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
        expect(told(isAsking, parts)).toEqual(whole);
      }),
      { seed },
    );
  },
);

test('never throws on arbitrary bytes, and keeps its sizes in order', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom('*2\r\n', '$3\r\n', '$-1\r\n', '+a\r\n', ':1\r\n', '|1\r\n', '>1\r\n'),
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

test.each([
  ['*1\r\n$4\r\nPING\r\n', true],
  ['*1\r\n', true],
  ['*1\r\n:4\r\n', false],
  ['*x\r\n', false],
  ['GET / HTTP/1.1\r\n', false],
  ['*1', false],
])('%j begins a command: %s', (text, isRedis) => {
  const bytes = encoder.encode(`..${text}`);
  expect(looksLikeRedis(bytes, 2, bytes.length)).toBe(isRedis);
});
