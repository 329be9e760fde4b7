import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openIntegration, type Row } from '../testing/open-integration.ts';

const AGENT = fileURLToPath(new URL('../testing/skywalking-agent.mjs', import.meta.url));

test("skywalking-backend-js's spans of a request and its call are one tree", async () => {
  const { grpcAddress, rows, integration, close } = await openIntegration({ now: Date.now });
  onTestFinished(close);
  const agent = spawn(process.execPath, [AGENT], {
    env: {
      ...process.env,
      SW_AGENT_COLLECTOR_BACKEND_SERVICES: grpcAddress,
      SW_AGENT_NAME: 'real-shop',
      SW_AGENT_INSTANCE: 'real-shop-1',
    },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  onTestFinished(async () => {
    agent.stdin.end();
    if (agent.exitCode === null) await once(agent, 'exit');
  });
  const named = (): readonly Row[] =>
    rows('l7_flow_log').filter((row) => row['app_service'] === 'real-shop');
  const bySpan = (id: unknown): Row | undefined => named().find((row) => row['span_id'] === id);
  const isAnswered = (row: Row): boolean => bySpan(row['parent_span_id']) !== undefined;
  const findInner = (): Row | undefined =>
    named().find(
      (row) => row['endpoint'] === 'GET:/inner' && row['span_kind'] === 2 && isAnswered(row),
    );
  await expect.poll(findInner, { timeout: 60_000 }).toBeDefined();
  const inner = findInner();
  const exit = bySpan(inner?.['parent_span_id']);
  await expect.poll(() => bySpan(exit?.['parent_span_id']), { timeout: 20_000 }).toBeDefined();
  const outer = bySpan(exit?.['parent_span_id']);
  expect(outer).toMatchObject({
    endpoint: 'GET:/outer',
    app_instance: 'real-shop-1',
    observation_point: 's-app',
    request_resource: '/outer',
    response_code: 200,
  });
  expect(exit).toMatchObject({ observation_point: 'c-app', response_code: 200 });
  expect(new Set([outer, exit, inner].map((row) => row?.['trace_id'])).size).toBe(1);
  // A call is booked when it ends; no call was one that is not known.
  const counters = (): Record<string, number> => integration.door.counters();
  const kept = (): number => counters()['grpc_skywalking.status.0'] ?? 0;
  await expect.poll(kept, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(counters()['grpc_none.requests']).toBeUndefined();
});
