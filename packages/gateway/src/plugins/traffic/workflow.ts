import { compileExpression } from '../../core/match/expression.ts';
import type { Expression, PluginConf } from '../../core/objects.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { limitCount } from '../limit-count.ts';
import { definePlugin, type Handlers, type Outcome, type PluginEnvironment } from '../plugin.ts';
import { limitConn } from './limit-conn.ts';
import { takeOver } from './taken-over.ts';

type Action = readonly [name: string, conf: PluginConf];

interface Rule {
  readonly case?: Expression;
  readonly actions: readonly Action[];
}

interface Workflow {
  readonly rules: readonly Rule[];
}

const RETURN = {
  type: 'object',
  properties: { code: { type: 'integer', minimum: 100, maximum: 599 } },
  required: ['code'],
} as const;
/** What an action may be, and what it can be told. */
const ACTIONS: Readonly<Record<string, object>> = {
  return: RETURN,
  'limit-count': limitCount.schema,
  'limit-conn': limitConn.schema,
};

/** Does the first action of the first rule whose case holds. */
export const workflow = definePlugin<Workflow>({
  name: 'workflow',
  priority: 1006,
  summary: 'Answers or limits a request by the first rule whose case holds.',
  schema: {
    type: 'object',
    properties: {
      rules: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            case: { type: 'array', minItems: 1 },
            actions: {
              type: 'array',
              minItems: 1,
              items: {
                type: 'array',
                minItems: 1,
                items: [{ type: 'string' }, { type: 'object' }],
                allOf: Object.entries(ACTIONS).map(([name, schema]) => ({
                  if: { items: [{ const: name }] },
                  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
                  then: { items: [{}, schema], minItems: 2 },
                })),
              },
            },
          },
          required: ['actions'],
        },
      },
    },
    required: ['rules'],
  },
  check({ rules }) {
    for (const { case: condition, actions } of rules) {
      const compiled = condition === undefined ? undefined : compileExpression(condition);
      if (compiled?.kind === 'invalid') {
        return `failed to validate the 'case' expression: ${compiled.reason}`;
      }
      const unknown = actions.find(([name]) => !Object.hasOwn(ACTIONS, name));
      if (unknown !== undefined) return `unsupported action: ${unknown[0]}`;
    }
    return undefined;
  },
  create({ rules }, environment) {
    const ready = rules.map(({ case: condition, actions: [action] }, index) => {
      const compiled = condition === undefined ? undefined : compileExpression(condition);
      return {
        name: action?.[0] ?? '',
        compiled,
        handlers: handlersOf(action, index, environment),
      };
    });
    const chosen = Symbol('chosen');
    return {
      access(context) {
        const rule = ready.find(
          ({ compiled }) =>
            compiled === undefined ||
            (compiled.kind === 'expression' && compiled.holds((name) => context.values(name))),
        );
        if (rule === undefined) return undefined;
        context.setSlot(chosen, rule.handlers);
        const outcome = rule.handlers.access?.(context);
        takeOver(context, rule.name);
        return outcome;
      },
      header_filter: (context) => chosenOf(context, chosen)?.header_filter?.(context),
      log: (context) => chosenOf(context, chosen)?.log?.(context),
      async close() {
        await Promise.all(ready.map(async ({ handlers }) => handlers.close?.()));
      },
    };
  },
});

function chosenOf(context: RequestContext, key: symbol): Handlers | undefined {
  return context.slot<Handlers>(key);
}

/** Two rules with equal actions count apart: `_vid` makes their configurations differ. */
function handlersOf(
  action: Action | undefined,
  index: number,
  environment: PluginEnvironment,
): Handlers {
  const [name = '', conf = {}] = action ?? [];
  if (name === 'return') {
    const outcome: Outcome = {
      status: Number(conf['code']),
      body: { error_msg: 'rejected by workflow' },
    };
    return { access: () => outcome };
  }
  const made = environment.plugin(name, { ...conf, _vid: index });
  if (typeof made !== 'string') return made;
  environment.warn(`rule ${index + 1}: ${made}`);
  return { access: () => ({ status: 500, body: { error_msg: `workflow: ${made}` } }) };
}
