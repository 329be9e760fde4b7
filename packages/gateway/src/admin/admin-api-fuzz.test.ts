import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { PLUGINS } from '../plugins/list.ts';
import { openJournal } from '../store/journal.ts';
import { createAdminApi } from './admin-api.ts';
import { KINDS } from './kinds.ts';
import { createValidator } from './validator.ts';

const word = fc.constantFrom(
  ...[
    'uri',
    'uris',
    'host',
    'hosts',
    'plugins',
    'upstream',
    'nodes',
    'type',
    'id',
    'username',
    'vars',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '_meta',
    'filter',
    'checks',
    'timeout',
    'status',
    'cert',
  ],
  ...PLUGINS.map(({ name }) => name),
);
const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('/*', '127.0.0.1:80', '$', '${', '$secret://', '(', '[a', '*', '\0', '\ud800'),
);
/** Objects that look like those of the Admin API here and there. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(word, fc.string()), tie('value'), { maxKeys: 5 }),
  ),
}));
const path = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...KINDS.map(({ path: name }) => name),
        'schema',
        'plugins',
        'configs',
        'validate',
      ),
      fc.constantFrom('1', 'a', '..', '%2e', '%', '__proto__', 'credentials', 'vault', 'list'),
      word,
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join('/'));

test('whatever is asked, the Admin API answers, and keeps answering', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'admin-fuzz-'));
  const store = await openJournal(folder, { now: Date.now });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const ask = createAdminApi({
    hasStreams: true,
    store,
    validator: createValidator(),
    plugins: PLUGINS,
    attributes: {},
    nowS: () => 7,
    seal: undefined,
  });
  const method = fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'PURGE');
  const body = fc.oneof(
    value.map((given) => JSON.stringify(given) ?? ''),
    fc.string(),
    fc.json(),
  );
  const query = fc.constantFrom(
    '',
    'ttl=x',
    'page=0&page_size=10',
    'name=(',
    'filter=%',
    'force=true',
  );
  await fc.assert(
    fc.asyncProperty(method, path, query, body, async (verb, where, asked, text) => {
      const answer = await ask({
        method: verb,
        path: where,
        query: new URLSearchParams(asked),
        body: text,
      });
      expect([200, 201, 204, 400, 404, 405]).toContain(answer.status);
    }),
    { seed: 43, numRuns: 400 },
  );
  const list = await ask({ method: 'GET', path: 'routes', query: new URLSearchParams(), body: '' });
  expect(list.status).toBe(200);
});
