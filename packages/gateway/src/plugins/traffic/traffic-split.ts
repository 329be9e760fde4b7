import { createHash } from 'node:crypto';
import { type CompiledExpression, compileExpression } from '../../core/match/expression.ts';
import type { Expression, UpstreamObject } from '../../core/objects.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { definePlugin } from '../plugin.ts';
import { createWeightedTurns } from './weighted-turns.ts';

interface WeightedUpstream {
  readonly upstream_id?: string | number;
  readonly upstream?: UpstreamObject;
  readonly weight: number;
}

interface Rule {
  /** One of them must hold. */
  readonly match?: readonly { readonly vars?: Expression }[];
  readonly weighted_upstreams: readonly WeightedUpstream[];
  /** A variable: requests of one value stay with one upstream (not in APISIX). */
  readonly sticky?: string;
}

interface TrafficSplit {
  readonly rules?: readonly Rule[];
}

/** What a rule sends a request to. `own` is the route's upstream. */
type Goal = UpstreamObject | { readonly id: string } | 'own';

/** Sends parts of the traffic to other upstreams: canary, blue and green, tests. */
export const trafficSplit = definePlugin<TrafficSplit>({
  name: 'traffic-split',
  priority: 966,
  subsystems: ['http', 'stream'],
  summary: 'Sends parts of the traffic to other upstreams, by weight and condition.',
  schema: {
    type: 'object',
    properties: {
      rules: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            match: {
              type: 'array',
              items: { type: 'object', properties: { vars: { type: 'array' } } },
            },
            weighted_upstreams: {
              type: 'array',
              minItems: 1,
              maxItems: 20,
              default: [{ weight: 1 }],
              items: {
                type: 'object',
                properties: {
                  upstream_id: { anyOf: [{ type: 'string', minLength: 1 }, { type: 'integer' }] },
                  upstream: { type: 'object' },
                  weight: { type: 'integer', minimum: 0, default: 1 },
                },
              },
            },
            sticky: {
              type: 'string',
              minLength: 1,
              description: 'a variable whose values stay with one upstream (not in APISIX)',
            },
          },
        },
      },
    },
  },
  check({ rules = [] }) {
    for (const { match = [] } of rules) {
      for (const { vars } of match) {
        const compiled = vars === undefined ? undefined : compileExpression(vars);
        if (compiled?.kind === 'invalid') {
          return `failed to validate the 'vars' expression: ${compiled.reason}`;
        }
      }
    }
    return undefined;
  },
  create({ rules = [] }, environment) {
    const ready = rules.map((rule) => {
      const goals = rule.weighted_upstreams.map((given) => ({
        item: goalOf(given),
        weight: given.weight,
      }));
      const conditions = (rule.match ?? []).flatMap(({ vars }) =>
        vars === undefined ? [] : [compileExpression(vars)],
      );
      return { goals, conditions, sticky: rule.sticky, turn: createWeightedTurns(goals) };
    });
    return {
      access(context) {
        const rule = ready.find(({ conditions }) => holdsOne(context, conditions));
        if (rule === undefined) return undefined;
        const value = rule.sticky === undefined ? undefined : context.variable(rule.sticky);
        const goal = value ? stickyGoal(rule.goals, value) : rule.turn();
        if (goal === undefined || goal === 'own') return undefined;
        const upstream = environment.upstream(goal);
        if (upstream === undefined) return { status: 500 };
        context.upstream = upstream;
        return undefined;
      },
    };
  },
});

function goalOf({ upstream_id: id, upstream }: WeightedUpstream): Goal {
  if (upstream !== undefined) return upstream;
  return id === undefined ? 'own' : { id: String(id) };
}

function holdsOne(context: RequestContext, conditions: readonly CompiledExpression[]): boolean {
  if (conditions.length === 0) return true;
  return conditions.some(
    (one) => one.kind === 'expression' && one.holds((name) => context.values(name)),
  );
}

/** The same for a value as long as the weights stay, in the proportion of the weights. */
function stickyGoal(
  goals: readonly { readonly item: Goal; readonly weight: number }[],
  value: string,
): Goal | undefined {
  const total = goals.reduce((sum, { weight }) => sum + weight, 0);
  let point = (createHash('sha1').update(value).digest().readUInt32BE(0) / 2 ** 32) * total;
  for (const { item, weight } of goals) {
    if (point < weight) return item;
    point -= weight;
  }
  return undefined;
}
