import { compileExpression } from '../../core/match/expression.ts';
import type { Expression } from '../../core/objects.ts';
import { resolveTemplate } from '../../core/template.ts';
import { definePlugin } from '../plugin.ts';
import { createWeightedTurns } from './weighted-turns.ts';

interface Action {
  readonly set_headers?: Readonly<Record<string, string | number>>;
  readonly weight: number;
}

interface TrafficLabel {
  readonly rules: readonly { readonly match?: Expression; readonly actions: readonly Action[] }[];
}

/** Marks requests with headers, by condition and weight. */
export const trafficLabel = definePlugin<TrafficLabel>({
  name: 'traffic-label',
  priority: 967,
  summary: 'Marks requests with headers, by the first rule that matches and by weight.',
  example: {
    rules: [
      {
        match: [['arg_version', '==', 'v2']],
        actions: [{ set_headers: { 'X-Lane': 'canary' }, weight: 1 }, { weight: 9 }],
      },
    ],
  },
  schema: {
    type: 'object',
    properties: {
      rules: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          properties: {
            match: {
              type: 'array',
              description: 'as `vars` of a route; every request unless given',
            },
            actions: {
              type: 'array',
              minItems: 1,
              items: {
                type: 'object',
                properties: {
                  set_headers: {
                    type: 'object',
                    additionalProperties: { oneOf: [{ type: 'string' }, { type: 'number' }] },
                    description: 'values with `$variables`',
                  },
                  weight: { type: 'integer', minimum: 1, default: 1 },
                },
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
    for (const { match } of rules) {
      const compiled = compileExpression(match ?? []);
      if (compiled.kind === 'invalid') {
        return `failed to validate the 'match' expression: ${compiled.reason}`;
      }
    }
    return undefined;
  },
  create({ rules }) {
    const ready = rules.map(({ match, actions }) => ({
      condition: compileExpression(match ?? []),
      turn: createWeightedTurns(
        actions.map((action) => ({
          item: Object.entries(action.set_headers ?? {}),
          weight: action.weight,
        })),
      ),
    }));
    return {
      access(context) {
        const rule = ready.find(
          ({ condition }) =>
            condition.kind === 'expression' && condition.holds((name) => context.values(name)),
        );
        for (const [name, value] of rule?.turn() ?? []) {
          context.headers.set(name, resolveTemplate(context, String(value)).text);
        }
        return undefined;
      },
    };
  },
});
