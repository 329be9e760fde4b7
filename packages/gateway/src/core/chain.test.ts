import { expect, test } from 'vitest';
import { definePlugin, type Handlers } from '../plugins/plugin.ts';
import { runPhase, type Step } from './chain.ts';
import { makeContext } from './make-context.ts';

function step(name: string, handlers: Handlers): Step {
  const plugin = definePlugin({
    name,
    priority: 0,
    summary: '',
    schema: {},
    create: () => handlers,
  });
  return { plugin, handlers, conf: {}, accepts: undefined, errorResponse: undefined };
}

test.each([
  { name: 'is timed for each plugin that ran', isTracing: true, want: ['waits', 'answers'] },
  { name: 'is not timed unless it is asked for', isTracing: false, want: undefined },
])('a phase $name', async ({ isTracing, want }) => {
  const context = makeContext({ method: 'GET', host: 'a', target: '/' });
  if (isTracing) context.phases = [];
  const steps = [
    step('waits', { access: () => Promise.resolve(undefined) }),
    step('answers', { access: () => ({ status: 403 }) }),
    step('never runs', { access: () => undefined }),
  ];
  expect(await runPhase(steps, 'access', context)).toEqual({ status: 403 });
  expect(context.phases?.map(({ plugin }) => plugin)).toEqual(want);
});
