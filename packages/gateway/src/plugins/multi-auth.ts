import { messageAnswer } from '../core/request-context.ts';
import { definePlugin, type Handlers, type Outcome } from './plugin.ts';

interface MultiAuth {
  readonly auth_plugins: readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[];
}

/** Lets a request through that one of several authentication plugins lets through. */
export const multiAuth = definePlugin<MultiAuth>({
  name: 'multi-auth',
  priority: 2600,
  summary: 'Lets a request in when one of several authentication plugins does.',
  example: { auth_plugins: [{ 'basic-auth': {} }, { 'key-auth': { header: 'apikey' } }] },
  isAuth: true,
  schema: {
    type: 'object',
    title: 'work with route or service object',
    properties: { auth_plugins: { type: 'array', minItems: 2 } },
    required: ['auth_plugins'],
  },
  check({ auth_plugins }, { find, violation }) {
    if (auth_plugins.some((one) => typeof one !== 'object' || one === null)) {
      return 'property "auth_plugins" validation failed: each must be an object of plugins';
    }
    for (const [name, conf] of auth_plugins.flatMap(namedConfs)) {
      const plugin = find(name);
      if (plugin === undefined) return `${name} plugin did not found`;
      if (!plugin.isAuth || name === 'multi-auth') {
        return `${name} plugin is not supported in multi-auth`;
      }
      const fault = violation(plugin, conf);
      if (fault !== undefined) return `plugin ${name} check schema failed: ${fault}`;
    }
    return undefined;
  },
  create({ auth_plugins }, { plugin, warn }) {
    const rewrites = auth_plugins.flatMap(namedConfs).flatMap(([name, conf]) => {
      const handlers = plugin(name, conf);
      if (typeof handlers !== 'string') return handlers.rewrite ?? [];
      warn(`${name} takes no part: ${handlers}`);
      return [];
    });
    const failed = messageAnswer(401, 'Authorization Failed');

    /** Each plugin in turn; a promise only where one of them waits. */
    function from(
      context: Parameters<NonNullable<Handlers['rewrite']>>[0],
      at: number,
    ): Outcome | Promise<Outcome> {
      const rewrite = rewrites[at];
      if (rewrite === undefined) return failed;
      const next = (outcome: Outcome): Outcome | Promise<Outcome> =>
        outcome === undefined ? undefined : from(context, at + 1);
      const outcome = rewrite(context);
      return outcome instanceof Promise ? outcome.then(next) : next(outcome);
    }

    return { rewrite: (context) => from(context, 0) };
  },
});

function namedConfs(
  one: MultiAuth['auth_plugins'][number],
): [string, Readonly<Record<string, unknown>>][] {
  return Object.entries(one);
}
