import { expect, test } from 'vitest';
import { attachConsumerLabel } from './attach-consumer-label.ts';
import { onBench, request } from './testing/plugin-bench.ts';
import { trafficLabel } from './traffic/traffic-label.ts';

test("labels of the consumer reach the upstream, the client's own do not", () => {
  const headers = { 'X-Department': '$department', 'X-Role': '$role' };
  const { handlers } = onBench(attachConsumerLabel, { headers });
  const context = request({ headers: { 'X-Role': 'admin' } });
  const labels = { department: 'devops' };
  context.consumer = { username: 'john', groupId: undefined, labels, plugins: {} };
  handlers.before_proxy?.(context);
  expect(context.headers.get('x-department')).toBe('devops');
  expect(context.headers.has('x-role')).toBe(false);
});

test('the first rule that matches marks requests by weight, with variables', async () => {
  const { handlers } = onBench(trafficLabel, {
    rules: [
      {
        match: [['arg_a', '==', 'b']],
        actions: [{ set_headers: { 'X-Lane': 'canary $arg_a' }, weight: 2 }, { weight: 3 }],
      },
      { actions: [{ set_headers: { 'X-Lane': 'other' } }] },
    ],
  });
  const lanes = async (target: string): Promise<readonly string[]> => {
    const contexts = Array.from({ length: 10 }, () => request({ target }));
    for (const context of contexts) await handlers.access?.(context);
    return contexts.map(({ headers }) => headers.get('x-lane') ?? 'none').toSorted();
  };
  expect(await lanes('/?a=b')).toEqual([
    ...Array.from({ length: 4 }, () => 'canary b'),
    ...Array.from({ length: 6 }, () => 'none'),
  ]);
  expect(await lanes('/?a=c')).toEqual(Array.from({ length: 10 }, () => 'other'));
});
