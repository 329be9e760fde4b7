import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PLUGINS } from '../plugins/list.ts';
import { openJournal } from '../store/journal.ts';
import { createAdminApi } from './admin-api.ts';
import { createValidator } from './validator.ts';

const NODES = { nodes: { '127.0.0.1:1980': 1 } };

async function open() {
  const folder = mkdtempSync(join(tmpdir(), 'admin-'));
  const store = await openJournal(folder, { now: Date.now });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const api = createAdminApi({
    hasStreams: true,
    store,
    validator: createValidator(),
    plugins: PLUGINS,
    attributes: {},
    nowS: () => 7,
    seal: undefined,
  });
  return async (line: string, body?: unknown) => {
    const [method = '', target = ''] = line.split(' ');
    const [path = '', query = ''] = target.split('?');
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    return api({ method, path, query: new URLSearchParams(query), body: text });
  };
}

test('an object is created, shown, changed in part and deleted', async () => {
  const ask = await open();
  const route = { uri: '/a', upstream: NODES };
  expect(await ask('PUT routes/1', route)).toEqual({
    status: 201,
    body: { key: '/apisix/routes/1', value: { ...route, id: '1', create_time: 7, update_time: 7 } },
  });
  expect((await ask('PUT routes/1', route)).status).toBe(200);
  expect(
    await ask('PATCH routes/1', { desc: 'x', upstream: { nodes: { 'b:1': 2 } } }),
  ).toMatchObject({
    status: 200,
    body: { value: { desc: 'x', upstream: { nodes: { '127.0.0.1:1980': 1, 'b:1': 2 } } } },
  });
  expect(await ask('PATCH routes/1/upstream/nodes', { 'c:1': 3 })).toMatchObject({
    body: { value: { upstream: { nodes: { 'c:1': 3 } } } },
  });
  expect(await ask('PATCH routes/1', { desc: null })).not.toHaveProperty('body.value.desc');
  expect(await ask('GET routes/1')).toMatchObject({ body: { createdIndex: 1, modifiedIndex: 5 } });
  expect(await ask('DELETE routes/1')).toEqual({
    status: 200,
    body: { deleted: '1', key: '/apisix/routes/1' },
  });
  expect(await ask('GET routes/1')).toEqual({ status: 404, body: { message: 'Key not found' } });
});

test.each([
  { line: 'PUT routes', body: { uri: '/a' }, error: 'missing route id' },
  { line: 'PUT routes/1', body: { id: '2', uri: '/a' }, error: 'wrong route id' },
  { line: 'POST routes/1', body: { uri: '/a' }, error: 'wrong route id, do not need it' },
  { line: 'PUT routes/1', body: undefined, error: 'missing configurations' },
  { line: 'PUT routes/1', body: '{', error: /^invalid request body: / },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', create_time: 1 },
    error: 'the property is forbidden:  create_time',
  },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', host: 'a', hosts: ['b'] },
    error: 'only one of host or hosts is allowed',
  },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', x: 1 },
    error: 'invalid configuration: additional properties forbidden, found x',
  },
  {
    line: 'PUT routes/1',
    body: { uri: 1 },
    error:
      'invalid configuration: property "uri" validation failed: wrong type: expected string, got number',
  },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', methods: ['GIT'] },
    error:
      'invalid configuration: property "methods" validation failed: failed to validate item 1: matches none of the enum values',
  },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', vars: [['a', 'b', 'c']] },
    error: "failed to validate the 'vars' expression: invalid operator 'b'",
  },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', upstream_id: 9 },
    error: 'failed to fetch upstream info by upstream id [9], response code: 404',
  },
  { line: 'PUT routes/1', body: { uri: '/a', plugins: { x: {} } }, error: 'unknown plugin [x]' },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', plugins: { 'limit-count': {} } },
    error:
      'failed to check the configuration of plugin limit-count err: value should match only one schema, but matches none',
  },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', upstream: { ...NODES, type: 'chash' } },
    error: 'missing key',
  },
  {
    line: 'PUT routes/1',
    body: { uri: '/a', filter_func: 'function(vars) return true end' },
    error: /Lua cannot be run here/,
  },
])('$line $body is refused', async ({ line, body, error }) => {
  const answer = await (await open())(line, body);
  expect(answer).toMatchObject({
    status: 400,
    body: { error_msg: typeof error === 'string' ? error : expect.stringMatching(error) },
  });
});

test.each([
  { line: 'POST consumers', status: 405, error: 'not supported `POST` method for consumer' },
  { line: 'GET nothing', status: 404, error: 'Unsupported resource type: nothing' },
  { line: 'PUT consumers/jack/credentials/1', status: 404, error: 'consumer not found' },
])('$line is $status', async ({ line, status, error }) => {
  expect(await (await open())(line)).toEqual({ status, body: { error_msg: error } });
});

test('what is in use is not deleted, unless by force', async () => {
  const ask = await open();
  await ask('PUT upstreams/1', NODES);
  await ask('PUT routes/r', { uri: '/a', upstream_id: '1' });
  const why = 'can not delete this upstream, route [r] is still using it now';
  expect(await ask('DELETE upstreams/1?force=yes')).toEqual({
    status: 400,
    body: { error_msg: why },
  });
  expect((await ask('DELETE upstreams/1?force=true')).status).toBe(200);
});

test('a key belongs to one consumer', async () => {
  const ask = await open();
  const consumer = (username: string) => ({ username, plugins: { 'key-auth': { key: 'k' } } });
  expect((await ask('PUT consumers', consumer('ann'))).status).toBe(201);
  expect(await ask('PUT consumers', consumer('bob'))).toMatchObject({
    status: 400,
    body: { error_msg: 'duplicate key of plugin key-auth found with consumer: ann' },
  });
});

test('lists are filtered and paged', async () => {
  const ask = await open();
  for (let i = 1; i <= 25; i++) await ask(`PUT routes/${i}`, { uri: `/r${i}`, upstream: NODES });
  expect(await ask('GET routes?page=3&page_size=10')).toMatchObject({
    body: { total: 25, list: { length: 5 } },
  });
  expect(await ask('GET routes?uri=r2')).toMatchObject({ body: { total: 7 } });
  expect(await ask('GET routes?page=1&page_size=5')).toEqual({
    status: 400,
    body: 'page_size must be between 10 and 500',
  });
});

test.each([
  {
    line: 'PUT secrets/vault/1',
    body: { uri: 'http://v:8200', prefix: 'kv', token: 't' },
    want: 201,
  },
  { line: 'PUT secrets/vault/1', body: { uri: 'v', prefix: 'kv', token: 't' }, want: 400 },
  { line: 'PUT secrets/vault/1', body: { uri: 'http://v:8200', prefix: 'kv' }, want: 400 },
  { line: 'PUT secrets/aws/1', body: { access_key_id: 'a', secret_access_key: 'b' }, want: 201 },
  { line: 'PUT secrets/gcp/1', body: { auth_file: '/a' }, want: 201 },
  { line: 'PUT secrets/gcp/1', body: {}, want: 400 },
  { line: 'PUT secrets/none/1', body: {}, want: 400 },
])('$line with $body is $want', async ({ line, body, want }) => {
  expect((await (await open())(line, body)).status).toBe(want);
});

test.each([
  { name: 'JSON', body: '{"routes":[{"id":"1","uri":"/a"},{"id":"1","uri":"/b"}]}' },
  { name: 'YAML', body: 'routes:\n  - {id: "1", uri: /a}\n  - {id: "1", uri: /b}\n' },
])('a whole configuration in $name is checked without being kept', async ({ body }) => {
  const ask = await open();
  expect(await ask('POST configs/validate', body)).toMatchObject({
    status: 400,
    body: {
      errors: [{ resource_type: 'routes', index: 1, error: 'found duplicate id 1 in routes' }],
    },
  });
  expect(await ask('GET routes')).toMatchObject({ body: { total: 0 } });
});
