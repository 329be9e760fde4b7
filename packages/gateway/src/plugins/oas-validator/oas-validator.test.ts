import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createRequestBody } from '../../core/request-body.ts';
import { onBench, request } from '../testing/plugin-bench.ts';
import { readDocument } from './document.ts';
import { oasValidator } from './oas-validator.ts';

const SPEC = JSON.stringify({
  openapi: '3.0.2',
  info: { title: 'Pets', version: '1' },
  servers: [{ url: 'https://pets.test/api/v3' }],
  paths: {
    '/pet': {
      post: {
        requestBody: { $ref: '#/components/requestBodies/Pet' },
      },
    },
    '/pet/{petId}': {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }],
      get: {
        parameters: [
          { $ref: '#/components/parameters/Tags' },
          {
            name: 'filter',
            in: 'query',
            style: 'deepObject',
            schema: { type: 'object', properties: { age: { type: 'integer' } } },
          },
          {
            name: 'X-Trace',
            in: 'header',
            required: true,
            schema: { type: 'string', pattern: '^[a-f]+$' },
          },
        ],
      },
    },
    '/pet/mine': { get: {} },
  },
  components: {
    parameters: {
      Tags: {
        name: 'tags',
        in: 'query',
        schema: { type: 'array', maxItems: 2, items: { type: 'string', enum: ['a', 'b'] } },
      },
    },
    requestBodies: {
      Pet: {
        required: true,
        content: {
          'application/json': { schema: { $ref: '#/components/schemas/Pet' } },
          'application/x-www-form-urlencoded': { schema: { $ref: '#/components/schemas/Pet' } },
        },
      },
    },
    schemas: {
      Pet: {
        type: 'object',
        required: ['id', 'name'],
        properties: {
          id: { type: 'integer', readOnly: true },
          name: { type: 'string' },
          age: { type: 'integer', minimum: 0, exclusiveMinimum: true, nullable: true },
          parent: { $ref: '#/components/schemas/Pet' },
        },
      },
    },
  },
});

interface Asked {
  readonly line: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function answerTo({ line, headers = {}, body = '' }: Asked, conf: object = { spec: SPEC }) {
  const [method = '', target = ''] = line.split(' ');
  const { handlers, warnings } = onBench(oasValidator, { verbose_errors: true, ...conf });
  const source = { pause: () => undefined, resume: () => undefined, want: () => undefined };
  const received = createRequestBody({ kind: 'length', bytes: body.length }, source);
  if (body !== '') received.data(Buffer.from(body));
  received.end(undefined);
  const context = Object.assign(request({ method, target, headers }), { body: received });
  const answer = await handlers.access?.(context);
  await handlers.close?.();
  return { status: answer?.status ?? 200, text: JSON.stringify(answer?.body ?? ''), warnings };
}

const TRACE = { 'X-Trace': 'abc' };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };

test.each<Asked>([
  { line: 'POST /pet', headers: JSON_TYPE, body: '{"name":"x","age":null}' },
  { line: 'POST /api/v3/pet', headers: JSON_TYPE, body: '{"name":"x","age":3}' },
  { line: 'POST /pet', headers: FORM_TYPE, body: 'name=x&age=3' },
  { line: 'GET /pet/5?tags=a&tags=b&filter[age]=3', headers: TRACE },
  { line: 'GET /pet/mine' },
])('$line $body passes', async (asked) => {
  expect(await answerTo(asked)).toMatchObject({ status: 200 });
});

test.each<Asked & { readonly why: string }>([
  { line: 'GET /other', why: 'no path matches /other' },
  { line: 'DELETE /pet', why: 'method DELETE' },
  { line: 'POST /pet', headers: JSON_TYPE, why: 'the body is required' },
  { line: 'POST /pet', headers: JSON_TYPE, body: '{', why: 'JSON' },
  {
    line: 'POST /pet',
    headers: JSON_TYPE,
    body: '{"age":3}',
    why: 'property \\"name\\" is required',
  },
  { line: 'POST /pet', headers: JSON_TYPE, body: '{"name":"x","age":0}', why: 'age' },
  { line: 'POST /pet', headers: JSON_TYPE, body: '{"name":"x","parent":{}}', why: 'parent' },
  { line: 'POST /pet', headers: { 'Content-Type': 'text/csv' }, body: 'x', why: 'type text/csv' },
  { line: 'GET /pet/five', headers: TRACE, why: 'path parameter \\"petId\\"' },
  { line: 'GET /pet/5', why: 'header parameter \\"X-Trace\\" is required' },
  { line: 'GET /pet/5', headers: { 'X-Trace': 'xyz' }, why: 'header parameter' },
  { line: 'GET /pet/5?tags=c', headers: TRACE, why: 'query parameter \\"tags\\"' },
  { line: 'GET /pet/5?filter[age]=x', headers: TRACE, why: 'query parameter \\"filter\\"' },
])('$line $body is refused: $why', async ({ why, ...asked }) => {
  const answer = await answerTo(asked);
  expect(answer.status).toBe(400);
  expect(answer.text).toContain(why);
});

test('what is skipped is not looked at, and what is not rejected is told', async () => {
  const skipped = {
    skip_path_params_validation: true,
    skip_request_header_validation: true,
    skip_query_param_validation: true,
    skip_request_body_validation: true,
  };
  const asked = { line: 'GET /pet/five?tags=c' };
  expect((await answerTo(asked, { spec: SPEC, ...skipped })).status).toBe(200);
  const told = await answerTo(asked, { spec: SPEC, reject_if_not_match: false });
  expect([told.status, told.warnings.length]).toEqual([200, 1]);
  const terse = { spec: SPEC, verbose_errors: false, rejection_status_code: 422 };
  expect(await answerTo(asked, terse)).toMatchObject({
    status: 422,
    text: '{"message":"failed to validate request"}',
  });
});

test.each(['{', '{}', '{"openapi":"2.0","paths":{}}', '{"openapi":"3.0.0"}'])(
  '%s is no document',
  (spec) => {
    expect(readDocument(spec)).toBeInstanceOf(Error);
  },
);

test('a document elsewhere is asked for once, and requests get 500 while there is none', async () => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.end(SPEC);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api.json`;
  const { handlers } = onBench(oasValidator, { spec_url: url });
  const answers = [request({ target: '/pet/mine' }), request({ target: '/other' })];
  const [mine, other] = await Promise.all(answers.map(async (one) => handlers.access?.(one)));
  expect([mine, other?.status, asked]).toEqual([undefined, 400, 1]);
  await handlers.close?.();
  const gone = await answerTo({ line: 'GET /pet/mine' }, { spec_url: 'http://127.0.0.1:1/' });
  expect(gone.status).toBe(500);
});
