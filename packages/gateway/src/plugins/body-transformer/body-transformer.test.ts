import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createRequestBody } from '../../core/request-body.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { filteredBody } from '../testing/filtered-body.ts';
import { answered, onBench, request } from '../testing/plugin-bench.ts';
import { bodyTransformer } from './body-transformer.ts';

/** A request with a body that has come whole. */
function posted(type: string, text: string): RequestContext {
  const context = request({ method: 'POST', headers: { 'Content-Type': type } });
  const source = { pause: () => undefined, resume: () => undefined, want: () => undefined };
  const body = createRequestBody({ kind: 'length', bytes: text.length }, source);
  body.data(Buffer.from(text));
  body.end(undefined);
  return Object.assign(context, { body });
}

async function sentOn(conf: object, context: RequestContext): Promise<string> {
  const { handlers } = onBench(bodyTransformer, { request: { ...conf } });
  const answer = await handlers.rewrite?.(context);
  if (answer !== undefined) return `${answer.status} ${JSON.stringify(answer.body)}`;
  return context.body.replacement()?.toString() ?? '';
}

const SOAP =
  '<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Body><fault><code>5</code>' +
  '<text xml:lang="en">a &amp; b</text><i>1</i><i>2</i></fault></s:Body></s:Envelope>';
const FORM = '--b\r\nContent-Disposition: form-data; name="age"\r\n\r\n7\r\n--b--\r\n';

test.each([
  {
    name: 'json',
    type: 'application/json',
    text: '{"a":[1,{"b":2}]}',
    template: '{{a[2].b}}',
    want: '2',
  },
  {
    name: 'xml',
    type: 'text/xml; charset=utf-8',
    text: SOAP,
    template:
      '{{Envelope.Body.fault.code}} {*Envelope.Body.fault.text[1]*} {{Envelope.Body.fault.i[2]}}',
    want: '5 a & b 2',
  },
  {
    name: 'form',
    type: 'application/x-www-form-urlencoded',
    text: 'n=x+y&m=1&m=2',
    template: '{{n}}{{m[2]}}{{m[1]+1}}',
    want: 'x y22',
  },
  {
    name: 'multipart',
    type: 'multipart/form-data; boundary=b',
    text: FORM,
    template: '{{tonumber(age)+1}}',
    want: '8',
  },
  { name: 'text', type: 'text/plain', text: 'not json', template: '{{_body}}', want: 'not json' },
])('a body in $name is made anew', async ({ type, text, template, want }) => {
  expect(await sentOn({ template }, posted(type, text))).toBe(want);
});

test('the arguments of a GET make a body, and templates may be in base64', async () => {
  const template = Buffer.from('hello {{a}}').toString('base64');
  const conf = { input_format: 'args', template, template_is_base64: true };
  expect(await sentOn(conf, request())).toBe('hello b');
});

test.each([
  { name: 'no JSON', text: '{', template: '{{a}}', want: '400 {"message"' },
  { name: 'nothing to add to', text: '{}', template: '{{a + 1}}', want: '400 {"message":"attempt' },
])('a request with $name gets 400', async ({ text, template, want }) => {
  expect(await sentOn({ template }, posted('application/json', text))).toContain(want);
});

test('XML with a document type is refused', async () => {
  const text = '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>';
  expect(await sentOn({ template: '{{a}}' }, posted('text/xml', text))).toContain('400');
});

test('an answer in pieces, compressed, is made anew; one that cannot be is passed on', () => {
  const conf = { response: { template: '<n>{{n}}</n>' } };
  const { handlers, warnings } = onBench(bodyTransformer, conf);
  const bytes = gzipSync('{"n":5}');
  const head = {
    'Content-Type': 'application/json',
    'Content-Encoding': 'gzip',
    'Content-Length': '9',
  };
  const context = answered(request(), 200, 'upstream', head);
  handlers.header_filter?.(context);
  const pieces = [bytes.subarray(0, 4), bytes.subarray(4)];
  expect(filteredBody(handlers, context, pieces).toString()).toBe('<n>5</n>');
  expect([...(context.response?.fields.keys() ?? [])]).toEqual(['content-type']);
  const other = answered(request(), 200, 'upstream', { 'Content-Type': 'application/json' });
  handlers.header_filter?.(other);
  expect(filteredBody(handlers, other, [Buffer.from('{')]).toString()).toBe('{');
  expect(warnings).toHaveLength(1);
});
