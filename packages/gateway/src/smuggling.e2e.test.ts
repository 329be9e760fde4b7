// What is ambiguous is never forwarded: a corpus of requests that two readers could frame, route or
// attribute in two ways. What counts is what an upstream with a reader of its own has received.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway, statusesOf } from './testing/running-gateway.ts';
import { openStrictServer, type StrictServer } from './testing/strict-server.ts';

let running: RunningGateway;
let upstream: StrictServer;

beforeAll(async () => {
  upstream = await openStrictServer((request, response) => {
    // `/early` answers without having read the body, and keeps the connection.
    if (request.url?.startsWith('/early') === true) response.end('early');
    else request.on('end', () => response.end('ok'));
  });
  running = await runGateway();
  const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
  await running.admin('PUT consumers', {
    username: 'jack',
    plugins: { 'key-auth': { key: 'jack-key' } },
  });
  await running.admin('PUT routes/keyed', {
    uri: '/keyed',
    plugins: { 'key-auth': {} },
    upstream: { nodes },
  });
  await running.admin('PUT routes/all', { uri: '/*', enable_websocket: true, upstream: { nodes } });
});

afterAll(async () => {
  await running.close();
  await upstream.close();
});

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

/** Sends `pieces`; answers what the client got and which requests reached the upstream by them. */
async function sent(...pieces: readonly string[]) {
  const before = upstream.requests.length;
  const text = await running.send(...pieces);
  return { text, statuses: statusesOf(text), fresh: upstream.requests.slice(before) };
}

const post = (fields: readonly string[], body = '', target = '/x') =>
  `POST ${target} HTTP/1.1\r\nHost: x\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`;
const CHUNKED = 'Transfer-Encoding: chunked';

const REFUSED = [
  { name: 'length and coding', octets: post(['Content-Length: 5', CHUNKED], '0\r\n\r\n') },
  { name: 'coding and length', octets: post([CHUNKED, 'Content-Length: 5'], '0\r\n\r\n') },
  { name: 'two lengths', octets: post(['Content-Length: 0', 'Content-Length: 40']) },
  { name: 'two like lengths', octets: post(['Content-Length: 0', 'Content-Length: 0']) },
  { name: 'a list of lengths', octets: post(['Content-Length: 0, 40']) },
  { name: 'a signed length', octets: post(['Content-Length: +0']) },
  { name: 'a negative length', octets: post(['Content-Length: -1']) },
  { name: 'a hexadecimal length', octets: post(['Content-Length: 0x0']) },
  { name: 'a length with a blank inside', octets: post(['Content-Length: 0 0']) },
  { name: 'an empty length', octets: post(['Content-Length:']) },
  { name: 'a length past 2^53', octets: post(['Content-Length: 18446744073709551616']) },
  { name: 'identity after chunked', octets: post([`${CHUNKED}, identity`], '0\r\n\r\n') },
  { name: 'identity alone', octets: post(['Transfer-Encoding: identity']) },
  { name: 'two codings', octets: post([CHUNKED, 'Transfer-Encoding: x'], '0\r\n\r\n') },
  { name: 'chunked twice', octets: post([CHUNKED, CHUNKED], '0\r\n\r\n') },
  { name: 'a quoted coding', octets: post(['Transfer-Encoding: "chunked"'], '0\r\n\r\n') },
  { name: 'a coding with a parameter', octets: post([`${CHUNKED};x=y`], '0\r\n\r\n') },
  { name: 'a vertical tab', octets: post(['Transfer-Encoding:\x0bchunked'], '0\r\n\r\n') },
  { name: 'a zero octet', octets: post(['Transfer-Encoding: chunked\0'], '0\r\n\r\n') },
  { name: 'a blank before the colon', octets: post(['Transfer-Encoding : chunked'], '0\r\n\r\n') },
  { name: 'a folded coding', octets: post(['Transfer-Encoding:', ' chunked'], '0\r\n\r\n') },
  { name: 'a blank before the name', octets: post([' Transfer-Encoding: chunked'], '0\r\n\r\n') },
  { name: 'a bare return in a field', octets: post(['X: a\rTransfer-Encoding: chunked']) },
  { name: 'a bare feed in a field', octets: post(['X: a\nTransfer-Encoding: chunked']) },
  { name: 'a coding in HTTP/1.0', octets: `POST / HTTP/1.0\r\n${CHUNKED}\r\n\r\n0\r\n\r\n` },
  { name: 'a nominated length', octets: post(['Connection: content-length', 'Content-Length: 0']) },
  { name: 'a nominated coding', octets: post(['Connection: transfer-encoding', CHUNKED]) },
  { name: 'a nominated Host', octets: post(['Connection: host']) },
  { name: 'two Hosts', octets: post(['Host: y']) },
  { name: 'no Host', octets: 'GET / HTTP/1.1\r\n\r\n' },
  { name: 'a Host with user information', octets: 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n' },
  { name: 'a Host with a path', octets: 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n' },
  { name: 'a list of Hosts', octets: 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n' },
  { name: 'an authority with user', octets: 'GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n' },
  { name: 'an authority with blank', octets: 'GET http://a%20b/ x HTTP/1.1\r\nHost: b\r\n\r\n' },
  { name: 'a fragment', octets: 'GET /a#/../b HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'a tunnel', octets: 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'an asterisk for GET', octets: 'GET * HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'no version', octets: 'GET /\r\nHost: x\r\n\r\n' },
  { name: 'a tab in the line', octets: 'GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'two blanks in the line', octets: 'GET  / HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'HTTP/2 in the open', octets: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { name: 'dots that leave the root', octets: 'GET /../a HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'escaped dots that do', octets: 'GET /%2e%2e/a HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'an escaped zero', octets: 'GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'half an escape', octets: 'GET /a%4 HTTP/1.1\r\nHost: x\r\n\r\n' },
] as const;

test.each(REFUSED)('$name is refused, and nothing of it goes on', async ({ octets }) => {
  const { statuses, fresh } = await sent(octets + SMUGGLED);
  expect(statuses.length).toBe(1);
  expect([400, 501, 505]).toContain(statuses[0]);
  expect(fresh).toEqual([]);
});

test.each([
  { name: 'a size with a sign', body: '+1\r\na\r\n0\r\n\r\n' },
  { name: 'a size with a prefix', body: '0x1\r\na\r\n0\r\n\r\n' },
  { name: 'a size of 16 digits', body: 'fffffffffffffff1\r\na\r\n' },
  { name: 'a size line that LF ends', body: '1\na\r\n0\r\n\r\n' },
  { name: 'an extension with LF', body: '1;a\nb\r\na\r\n0\r\n\r\n' },
  { name: 'a return within a size line', body: '1\r1\r\na\r\n0\r\n\r\n' },
  { name: 'a chunk longer than it says', body: '1\r\nab\r\n0\r\n\r\n' },
  { name: 'a chunk without an end', body: '1\r\na0\r\n\r\n' },
  { name: 'a folded trailer', body: '1\r\na\r\n0\r\nA: b\r\n c\r\n\r\n' },
  { name: 'a trailer without a name', body: '1\r\na\r\n0\r\n: b\r\n\r\n' },
])('a body with $name never becomes whole at the upstream', async ({ body }) => {
  for (const pieces of [[post([CHUNKED]) + body + SMUGGLED], [post([CHUNKED]), body, SMUGGLED]]) {
    const { statuses, fresh } = await sent(...pieces);
    expect(statuses.filter((status) => status < 400)).toEqual([]);
    expect(fresh.filter(({ isWhole }) => isWhole)).toEqual([]);
    expect(fresh.length).toBeLessThanOrEqual(1);
  }
});

test('what follows a body is one request of its own, however it is cut', async () => {
  const one = post(
    [CHUNKED],
    `5;x="y"\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n`,
    '/1',
  );
  const two = post(
    ['Content-Length: 44'],
    `GET /smuggled HTTP/1.1\r\nHost: xxxxxxxxxxxxx\r\n\r\n`.slice(0, 44),
    '/2',
  );
  const three = post(['Connection: close', 'Content-Length: 0'], '', '/3');
  const whole = one + two + three;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(whole.length - 1), { maxLength: 4 }), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end));
      const { statuses, fresh } = await sent(...pieces.filter((piece) => piece !== ''));
      expect(statuses).toEqual([200, 200, 200]);
      const bodies = fresh.map(({ line, body }) => [line, body.length]);
      expect(bodies.sort()).toEqual([
        ['POST /1', 5],
        ['POST /2', 44],
        ['POST /3', 0],
      ]);
      const trailers = fresh.find(({ line }) => line === 'POST /1')?.trailers();
      expect(trailers).toEqual({ 'x-sum': '1' });
    }),
    { seed: 41, numRuns: 12 },
  );
});

test('after an early answer the rest of a body is not read as a request, nor a request as its rest', async () => {
  // The client never sends the 90 octets that it has promised.
  const half = await running.send(post(['Content-Length: 100'], 'ten octets', '/early'));
  expect(statusesOf(half)).toEqual([200]);
  for (let i = 0; i < 3; i++) {
    const { statuses, fresh } = await sent(
      `GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect([statuses, fresh.map(({ line }) => line)]).toEqual([[200], ['GET /next']]);
  }
});

test('a client that waits for 100 Continue gets no stray answer after the final one', async () => {
  const fields = ['Expect: 100-continue', 'Content-Length: 5'];
  const { text, fresh } = await sent(post(fields, '', '/keyed'), SMUGGLED);
  expect(statusesOf(text)).toEqual([401]);
  expect(fresh).toEqual([]);
});

test('no client can make the gateway drop what the gateway says of it', async () => {
  const fields = [
    'apikey: jack-key',
    'X-Consumer-Username: root',
    'Connection: close, X-Consumer-Username, X-Real-IP',
  ];
  const { fresh } = await sent(post(fields, '', '/keyed'));
  expect(fresh[0]?.headers).toMatchObject({
    'x-consumer-username': 'jack',
    'x-real-ip': '127.0.0.1',
  });
});

test('an authority in the target stands for Host, and there is only one', async () => {
  const { fresh } = await sent(
    'GET http://a.test/p?q HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n',
  );
  expect(fresh[0]).toMatchObject({ line: 'GET /p?q', headers: { host: 'a.test' } });
});

test('an upgrade to HTTP/2 in the open goes no further', async () => {
  const { fresh } = await sent(
    post([
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ]),
  );
  expect(fresh[0]?.headers).not.toHaveProperty('upgrade');
  expect(fresh[0]?.headers).not.toHaveProperty('http2-settings');
});

test('of any octets, only what can be read in one way goes on', async () => {
  const word = fc.constantFrom(
    ...['GET ', 'POST ', '/', '/a', ' HTTP/1.1', ' HTTP/1.0', '\r\n', '\n', '\r', '\r\n\r\n'],
    ...[
      'Host: x',
      'Host:',
      'Content-Length: ',
      'Transfer-Encoding: ',
      'chunked',
      '5',
      '0',
      ' ',
      '\t',
    ],
    ...['Connection: ', 'close', 'keep-alive', ':', ';', ',', '\0', 'hello', '0\r\n\r\n', '\xff'],
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 24 }), async (words) => {
      const start = 'POST /fuzz HTTP/1.1\r\nHost: x\r\n';
      await running.send(start + words.join(''));
    }),
    { seed: 42, numRuns: 40 },
  );
  const count = (names: readonly string[], ...wanted: readonly string[]) =>
    names.filter((name) => wanted.includes(name.toLowerCase())).length;
  for (const { names } of upstream.requests) {
    expect(count(names, 'host')).toBe(1);
    expect(count(names, 'content-length', 'transfer-encoding')).toBeLessThanOrEqual(1);
  }
  expect(upstream.faults).toEqual([]);
  expect(upstream.requests.filter(({ line }) => line.includes('smuggled'))).toEqual([]);
});
