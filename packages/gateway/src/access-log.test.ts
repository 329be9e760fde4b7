// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { compileFormat, openAccessLog } from './access-log.ts';
import { parseGatewayConfig } from './config/config.ts';
import { createBatchBook } from './core/batch-book.ts';
import { answered, request, tryAt } from './plugins/testing/plugin-bench.ts';

const VALUES: Readonly<Record<string, string>> = { a: 'x "y"\\\n', b: 'é' };
const context = { variable: (name: string) => VALUES[name] };

test.each([
  { format: '$a|$none|${b}c', escape: 'default', want: 'x \\x22y\\x22\\x5C\\x0A|-|\\xE9c' },
  { format: '{"a":"$a","n":"$none"}', escape: 'json', want: '{"a":"x \\"y\\"\\\\\\n","n":""}' },
  { format: '$a$none', escape: 'none', want: VALUES['a'] },
] as const)('$format escaped as $escape', ({ format, escape: mode, want }) => {
  expect(compileFormat(format, mode)(context)).toBe(want);
});

test('requests are lines of the file in their order, the trace with them if asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'access-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const text = JSON.stringify({
    nginx_config: {
      http: { access_log: 'a.log', access_log_format: '$request $status $upstream_addr $trace_id' },
    },
  });
  const { config } = parseGatewayConfig(text, {});
  const log = openAccessLog(config.nginx_config.http, folder, {
    batches: createBatchBook(),
    now: Date.now,
    warn: () => undefined,
  });
  const id = '0af7651916cd43dd8448eb211c80319c';
  const traced = request({ headers: { traceparent: `00-${id}-b7ad6b7169203331-01` } });
  tryAt(traced, 8080, 200);
  log.write(answered(traced, 200));
  log.write(answered(request({ target: '/none' }), 404, 'apisix'));
  await log.close();
  expect(readFileSync(join(folder, 'a.log'), 'utf8').split('\n')).toEqual([
    `GET /orders/1?a=b HTTP/1.1 200 127.0.0.1:8080 ${id}`,
    'GET /none HTTP/1.1 404 - -',
    '',
  ]);
});
