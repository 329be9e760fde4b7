import { expect, test } from 'vitest';
import { examplePlugin } from '../plugins/example-plugin.ts';
import { definePlugin, type Plugin } from '../plugins/plugin.ts';
import { onBench } from '../plugins/testing/plugin-bench.ts';
import { createSoloHub } from '../workers/hub.ts';
import { makeContext } from './make-context.ts';
import { createPluginHost } from './plugin-host.ts';

/** One that cannot be made. */
function broken(observes: boolean): Plugin {
  return definePlugin({
    name: 'broken',
    priority: 1,
    summary: 'Cannot be made.',
    observes,
    schema: { type: 'object' },
    create() {
      throw new Error('no such place');
    },
  });
}

function hosted(plugin: Plugin) {
  const { consumers, facts, batches, ownLog } = onBench(examplePlugin, {
    i: 0,
    s: '',
    t: [1],
  }).environment;
  const warnings: string[] = [];
  const host = createPluginHost({
    plugins: [plugin],
    attributes: {},
    metadata: () => undefined,
    withDefaults: (_, conf) => conf,
    violation: () => undefined,
    upstream: () => undefined,
    consumers,
    proto: () => undefined,
    facts,
    batches,
    ownLog,
    hasBackground: true,
    hub: createSoloHub(),
    now: Date.now,
    warn: (message) => warnings.push(message),
  });
  const handlers = host.instance(plugin, { conf: {}, origin: { kind: 'routes', id: '7' } });
  return { handlers, warnings };
}

const WHY = 'broken of routes/7 cannot be made: no such place';

test('a plugin that cannot be made fails requests and connections, and says why', () => {
  const { handlers } = hosted(broken(false));
  const context = makeContext({ method: 'GET', host: 'a', target: '/' });
  expect(() => handlers.rewrite?.(context)).toThrow(WHY);
  expect(() => handlers.access?.(context)).toThrow(WHY);
});

test('one that only watches takes no part, and says why', () => {
  expect(hosted(broken(true))).toEqual({ handlers: {}, warnings: [WHY] });
});
