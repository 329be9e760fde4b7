import { expect, test } from 'vitest';
import { createRequestBody } from '../core/request-body.ts';
import { dataMask } from './data-mask.ts';
import { maskedBody } from './logging/body-mask.ts';
import { onBench, request } from './testing/plugin-bench.ts';

const CARD = { action: 'regex', regex: '(\\d+)-\\d+-\\d+-(\\d+)', value: '$1-****-****-$2' };

test('arguments and headers are hidden from what is logged later', () => {
  const { handlers } = onBench(dataMask, {
    request: [
      { type: 'query', name: 'password', action: 'remove' },
      { type: 'query', name: 'token', action: 'replace', value: '*****' },
      { type: 'query', name: 'card', ...CARD },
      { type: 'header', name: 'X-Card', ...CARD },
      { type: 'header', name: 'Authorization', action: 'remove' },
    ],
  });
  const context = request({
    target: '/a?password=p&token=t&card=1234-5678-9012-3456&b=%20',
    headers: { 'X-Card': '1-2-3-4', Authorization: 'x' },
  });
  handlers.log?.(context);
  const query = 'token=*****&card=1234-****-****-3456&b=%20';
  expect([context.variable('request_uri'), context.variable('args')]).toEqual([
    `/a?${query}`,
    query,
  ]);
  expect([context.headers.get('x-card'), context.headers.has('authorization')]).toEqual([
    '1-****-****-4',
    false,
  ]);
});

const JSON_RULES = [
  { type: 'body', body_format: 'json', name: '$.password', action: 'remove' },
  { type: 'body', body_format: 'json', name: '$.users[*].token', action: 'replace', value: '***' },
  { type: 'body', body_format: 'json', name: '$.users[*].credit.card', ...CARD },
];
const FORM_RULES = [{ type: 'body', body_format: 'urlencoded', name: 'p', action: 'remove' }];

test.each([
  {
    name: 'JSON',
    rules: JSON_RULES,
    text: '{"password":"x","users":[{"token":"t","credit":{"card":"1-2-3-4"}},{"token":"u"}]}',
    want: '{"users":[{"token":"***","credit":{"card":"1-****-****-4"}},{"token":"***"}]}',
  },
  { name: 'a form', rules: FORM_RULES, text: 'a=1&p=secret&b=2', want: 'a=1&b=2' },
  { name: 'cut JSON', rules: JSON_RULES, text: '{"password":"x"', want: undefined },
  { name: 'too large a form', rules: FORM_RULES, text: `p=${'x'.repeat(200)}`, want: undefined },
])('of $name only what is masked is logged', ({ rules, text, want }) => {
  const { handlers } = onBench(dataMask, { request: rules, max_body_size: 150 });
  const source = { pause: () => undefined, resume: () => undefined, want: () => undefined };
  const body = createRequestBody({ kind: 'length', bytes: text.length }, source);
  body.data(Buffer.from(text));
  body.end(undefined);
  const context = Object.assign(request({ method: 'POST' }), { body });
  handlers.log?.(context);
  expect(maskedBody(context, text)).toBe(want);
  expect(context.variable('request_body')).toBe(want ?? '');
});
