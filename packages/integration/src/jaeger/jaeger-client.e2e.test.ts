import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openIntegration, type Row } from '../testing/open-integration.ts';

const SENDER = fileURLToPath(new URL('../testing/jaeger-sender.mjs', import.meta.url));

/** By name: value and type. */
function attributesOf(row: Row | undefined): Record<string, [unknown, unknown]> {
  const column = (name: string): unknown[] => (row?.[`attribute_${name}`] ?? []) as unknown[];
  const [values, types] = [column('values'), column('types')];
  return Object.fromEntries(
    column('names').map((name, at) => [String(name), [values[at], types[at]]]),
  );
}

test("a real client's spans are rows with parent, kind, status, types, event and link", async () => {
  const { url, rows, integration, close } = await openIntegration({ now: Date.now });
  onTestFinished(close);
  const sent = await promisify(execFile)('node', [SENDER, `${url}/api/traces`]);
  const kept = rows('l7_flow_log');
  const outer = kept.find(({ endpoint }) => endpoint === 'answer');
  const inner = kept.find(({ endpoint }) => endpoint === 'call');
  expect(kept.length).toBe(2);
  expect(outer).toMatchObject({
    trace_id: sent.stdout.trim(),
    parent_span_id: '',
    app_service: 'cart',
    observation_point: 's-app',
    request_type: 'GET',
  });
  expect(attributesOf(outer)).toMatchObject({
    whole: ['7', 'i'],
    part: ['0.5', 'd'],
    flag: ['true', 'b'],
    'host.name': ['box', 's'],
  });
  expect(JSON.parse(String(outer?.['resource_attributes']))).toEqual({ 'service.name': 'cart' });
  expect(inner).toMatchObject({
    trace_id: sent.stdout.trim(),
    parent_span_id: outer?.['span_id'],
    observation_point: 'c-app',
    span_status: 2,
    response_exception: 'refused',
  });
  expect(JSON.parse(String(inner?.['events']))).toMatchObject([{ name: 'retry' }]);
  expect(JSON.parse(String(inner?.['links']))).toMatchObject([{ trace_id: 'e'.repeat(32) }]);
  expect(integration.door.counters()).toMatchObject({ 'jaeger.rows': 2 });
});
