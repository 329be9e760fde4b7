import { expect, test } from 'vitest';
import { plainSchema, schemaFault } from './given-schema.ts';
import { requestValidation } from './request-validation.ts';
import { onBench, request } from './testing/plugin-bench.ts';

test.each([
  { body: '{"n":1}', want: undefined, sent: '{"n":1,"d":3}' },
  { body: '{"n":"x","n":2}', want: undefined, sent: '{"n":2,"d":3}' },
  {
    body: '{"n":"x"}',
    want: 'property "n" validation failed: wrong type: expected integer, got string',
    sent: undefined,
  },
  { body: '{}', want: 'property "n" is required', sent: undefined },
  { body: '', want: 'the body is not there', sent: undefined },
])('the body $body is answered $want', async ({ body, want, sent }) => {
  const body_schema = {
    $schema: 'http://json-schema.org/draft-04/schema#',
    type: 'object',
    required: ['n'],
    properties: { n: { type: 'integer' }, d: { default: 3 } },
  };
  const context = request({ method: 'POST', headers: { 'Content-Type': 'application/json' } });
  context.body.replace(Buffer.from(body));
  const { handlers } = onBench(requestValidation, { body_schema });
  expect((await handlers.rewrite?.(context))?.body).toBe(want);
  if (sent !== undefined) expect(context.body.replacement()?.toString()).toBe(sent);
});

test('header schemas spell names in any case', async () => {
  const header_schema = { required: ['X-Team'], properties: { 'X-Team': { pattern: '^(a+)+$' } } };
  const { handlers } = onBench(requestValidation, { header_schema });
  const status = async (team: string) =>
    (await handlers.rewrite?.(request({ headers: { 'x-team': team } })))?.status;
  expect(await status('aa')).toBeUndefined();
  // The pattern would take for ever if it went back.
  expect(await status(`${'a'.repeat(5_000)}b`)).toBe(400);
});

test.each([
  { schema: { type: 'test' }, want: 'invalid JSON type: test' },
  { schema: { properties: { a: { enum: 'x' } } }, want: 'enum: table expected, got string' },
  { schema: { anyOf: [{ required: 'x' }] }, want: 'required: table expected, got string' },
  { schema: { type: 'table' }, want: undefined },
])('the schema $schema is $want', ({ schema, want }) => {
  expect(schemaFault(schema)).toBe(want);
});

test('exclusive bounds of draft 4 become those of draft 7', () => {
  const given = { minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false };
  expect(plainSchema(given)).toEqual({ exclusiveMinimum: 1, maximum: 9 });
});

const NAMED = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };

async function validated(conf: object, body: string, headers: Readonly<Record<string, string>>) {
  const context = request({ method: 'POST', headers });
  context.body.replace(Buffer.from(body));
  const { handlers } = onBench(requestValidation, { ...conf });
  const answer = await handlers.rewrite?.(context);
  return { answer, sent: context.body.replacement()?.toString() };
}

test.each([
  { type: 'application/json', body: '{"name":"a"}', want: undefined },
  { type: 'application/json', body: 'name=a', want: 400 },
  { type: 'application/x-www-form-urlencoded', body: 'name=a', want: undefined },
  { type: 'application/x-www-form-urlencoded', body: 'nam=a', want: 400 },
  { type: 'Application/X-WWW-Form-Urlencoded; charset=utf-8', body: 'name=a', want: undefined },
  { type: 'application/json', body: '[]', want: 400 },
  { type: 'application/json', body: 'null', want: 400 },
])('a body $body of $type is answered $want', async ({ type, body, want }) => {
  const { answer, sent } = await validated({ body_schema: NAMED }, body, { 'Content-Type': type });
  expect(answer?.status).toBe(want);
  expect(sent).toBe(body);
});

test('a name that comes twice in a form is a list', async () => {
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const { answer } = await validated({ body_schema: NAMED }, 'name=a&name=b', type);
  expect(answer?.status).toBe(400);
});

test('two Content-Types could be read in two ways and are refused', async () => {
  const context = request({ method: 'POST', headers: { 'Content-Type': 'application/json' } });
  context.headers.add('Content-Type', 'application/x-www-form-urlencoded');
  context.body.replace(Buffer.from('{"name":"a"}'));
  const { handlers } = onBench(requestValidation, { body_schema: NAMED });
  expect((await handlers.rewrite?.(context))?.status).toBe(400);
});

test('code and message of the refusal can be given', async () => {
  const conf = { body_schema: NAMED, rejected_code: 422, rejected_msg: 'a name is needed' };
  const { answer } = await validated(conf, '{}', { 'Content-Type': 'application/json' });
  expect(answer).toEqual({ status: 422, body: 'a name is needed' });
});

test('a body past max_req_body_size is refused', async () => {
  const context = request({ method: 'POST' });
  const { handlers } = onBench(requestValidation, { body_schema: NAMED, max_req_body_size: 3 });
  context.body.data(Buffer.from('{"name":"a"}'));
  expect((await handlers.rewrite?.(context))?.status).toBe(400);
});
