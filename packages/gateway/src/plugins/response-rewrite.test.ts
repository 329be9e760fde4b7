import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createValidator, pluginViolation } from '../admin/validator.ts';
import { responseRewrite } from './response-rewrite.ts';
import { filteredBody } from './testing/filtered-body.ts';
import { answered, onBench, request } from './testing/plugin-bench.ts';

test('any split of a body is filtered as a whole, packed or not', () => {
  const filters = [{ regex: '(\\w+)ö', scope: 'global', replace: '<$1>' }];
  const { handlers } = onBench(responseRewrite, { filters });
  const text = Buffer.from('aö bö c');
  for (const [body, fields] of [
    [text, {}],
    [gzipSync(text), { 'Content-Encoding': 'gzip' }],
  ] as const) {
    fc.assert(
      fc.property(fc.nat(body.length), (at) => {
        const context = answered(request(), 200, 'upstream', { ...fields, 'Content-Length': '9' });
        handlers.header_filter?.(context);
        expect(context.response?.fields.list).toEqual([]);
        const pieces = [body.subarray(0, at), body.subarray(at)];
        expect(filteredBody(handlers, context, pieces).toString()).toBe('<a> <b> c');
      }),
      { seed: 23 },
    );
  }
});

test('an answer that vars do not name passes as it is', () => {
  const { handlers } = onBench(responseRewrite, { body: 'no', vars: [['status', '==', 500]] });
  const context = answered(request(), 200, 'upstream', { ETag: '"a"' });
  handlers.header_filter?.(context);
  expect(filteredBody(handlers, context, [Buffer.from('yes')]).toString()).toBe('yes');
  expect(context.response?.fields.has('etag')).toBe(true);
});

/** Status, fields and body of an answer that the plugin has changed. */
function rewritten(conf: object, headers: Readonly<Record<string, string>>, body: Buffer | string) {
  const { handlers } = onBench(responseRewrite, { ...conf });
  const context = answered(request({ target: '/a?team=red' }), 200, 'upstream', headers);
  handlers.header_filter?.(context);
  const { response } = context;
  const fields = Object.fromEntries(
    (response?.fields.list ?? []).map(({ name, spelling }) => [
      spelling,
      response?.fields.get(name.key),
    ]),
  );
  const sent = filteredBody(handlers, context, [Buffer.from(body)]);
  return { status: response?.status, fields, sent };
}

test('status, fields and body are replaced, and nothing tells of the old body', () => {
  const old = { 'Content-Length': '3', ETag: '"a"', 'Last-Modified': 'x', 'X-Old': '1', Via: 'v' };
  const conf = {
    status_code: 418,
    body: 'bmV3',
    body_base64: true,
    headers: { add: ['X-Team: $arg_team', 'Via: w'], set: { 'X-Old': 2 }, remove: ['X-Gone'] },
  };
  const { status, fields, sent } = rewritten(conf, { ...old, 'X-Gone': '1' }, 'old');
  expect({ status, fields, sent: sent.toString() }).toEqual({
    status: 418,
    fields: { 'X-Old': '2', Via: 'v', 'X-Team': 'red' },
    sent: 'new',
  });
});

test('the old flat map sets fields, and removes those without a value', () => {
  const { fields } = rewritten({ headers: { 'X-A': '$arg_team', 'X-B': '' } }, { 'X-B': '1' }, '');
  expect(fields).toEqual({ 'X-A': 'red' });
});

test.each([
  { coding: 'gzip', pack: gzipSync },
  { coding: 'deflate', pack: deflateSync },
  { coding: 'br', pack: brotliCompressSync },
])('filters see a body in $coding decoded', ({ coding, pack }) => {
  const filters = [{ regex: 'old', replace: 'new', scope: 'global' }];
  const { fields, sent } = rewritten(
    { filters },
    { 'Content-Encoding': coding },
    pack('old and old'),
  );
  expect([fields, sent.toString()]).toEqual([{}, 'new and new']);
});

test('a body in a coding that nobody here knows passes as it is, with what tells of it', () => {
  const filters = [{ regex: 'old', replace: 'new' }];
  const headers = { 'Content-Encoding': 'zstd', 'Content-Length': '3', ETag: '"a"' };
  const { fields, sent } = rewritten({ filters }, headers, 'old');
  expect([fields, sent.toString()]).toEqual([headers, 'old']);
});

test('filters run in order, once or for every place, and octets that are no text survive', () => {
  const filters = [
    { regex: 'a', replace: 'b' },
    { regex: 'b', replace: 'c', scope: 'global' },
  ];
  const octets = Buffer.from([0xff, 0x61, 0x61, 0xfe]);
  expect(rewritten({ filters }, {}, octets).sent).toEqual(Buffer.from([0xff, 0x63, 0x61, 0xfe]));
});

test('of a body past max_resp_body_size its first part is sent', () => {
  const conf = { filters: [{ regex: 'x', replace: 'y' }], max_resp_body_size: 4 };
  expect(rewritten(conf, {}, 'abcdefgh').sent.toString()).toBe('abcd');
});

test.each([
  { conf: {}, want: /at least 1 properties/ },
  { conf: { status_code: 199 }, want: /at least 200/ },
  { conf: { status_code: 599 }, want: /at most 598/ },
  { conf: { body: 'x', body_base64: true }, want: /invalid base64 content/ },
  { conf: { body: 'x', filters: [{ regex: 'a', replace: 'b' }] }, want: /validat/ },
  { conf: { filters: [{ regex: '(?=a)', replace: 'b' }] }, want: /validation failed/ },
  { conf: { headers: { set: { '': '1' } } }, want: /invalid field length/ },
  { conf: { headers: { add: ['no colon'] } }, want: /written as name: value/ },
  { conf: { headers: { set: { 'a b': 1 } } }, want: /invalid field name/ },
  { conf: { vars: [['a', 'no operator', 'b']], body: 'x' }, want: /'vars' expression/ },
  { conf: { body: 'x' }, want: undefined },
])('the configuration $conf is answered $want', ({ conf, want }) => {
  const checks = { validator: createValidator(), findPlugin: () => undefined, attributes: {} };
  const found = pluginViolation(checks, responseRewrite, responseRewrite.schema, conf);
  if (want === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(want);
});
