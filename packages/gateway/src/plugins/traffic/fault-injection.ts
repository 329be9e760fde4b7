import { type CompiledExpression, compileExpression } from '../../core/match/expression.ts';
import type { Expression } from '../../core/objects.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { resolveTemplate } from '../../core/template.ts';
import { definePlugin, type Outcome } from '../plugin.ts';
import { wait } from './wait.ts';

interface Fault {
  readonly percentage?: number;
  /** One of them must hold. */
  readonly vars?: readonly Expression[];
}

interface FaultInjection {
  readonly abort?: Fault & {
    readonly http_status: number;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string | number>>;
  };
  readonly delay?: Fault & { readonly duration: number };
}

const FAULT = {
  percentage: { type: 'integer', minimum: 0, maximum: 100 },
  vars: { type: 'array', maxItems: 20, items: { type: 'array' } },
} as const;

/** Delays or refuses a part of the requests, to try how callers bear it. */
export const faultInjection = definePlugin<FaultInjection>({
  name: 'fault-injection',
  priority: 11000,
  summary: 'Delays or refuses a part of the requests, to try how callers bear it.',
  schema: {
    type: 'object',
    properties: {
      abort: {
        type: 'object',
        properties: {
          http_status: { type: 'integer', minimum: 200 },
          body: { type: 'string', minLength: 0 },
          headers: {
            type: 'object',
            minProperties: 1,
            additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] },
          },
          ...FAULT,
        },
        required: ['http_status'],
      },
      delay: {
        type: 'object',
        properties: { duration: { type: 'number', minimum: 0 }, ...FAULT },
        required: ['duration'],
      },
    },
    minProperties: 1,
  },
  check({ abort, delay }) {
    for (const vars of [...(abort?.vars ?? []), ...(delay?.vars ?? [])]) {
      const compiled = compileExpression(vars);
      if (compiled.kind === 'invalid')
        return `failed to create vars expression: ${compiled.reason}`;
    }
    return undefined;
  },
  create({ abort, delay }) {
    const aborts = condition(abort);
    const delays = condition(delay);
    const answer = (context: RequestContext): Outcome => {
      if (abort === undefined || !aborts(context)) return undefined;
      const headers = Object.entries(abort.headers ?? {}).map(([name, value]) => [
        name,
        resolveTemplate(context, String(value)).text,
      ]);
      const body =
        abort.body === undefined ? {} : { body: resolveTemplate(context, abort.body).text };
      return { status: abort.http_status, headers: Object.fromEntries(headers), ...body };
    };
    return {
      rewrite(context) {
        if (delay === undefined || !delays(context)) return answer(context);
        return wait(delay.duration * 1_000).then(() => answer(context));
      },
    };
  },
});

/** By chance and by what the request says; false without a fault. */
function condition(fault: Fault | undefined): (context: RequestContext) => boolean {
  if (fault === undefined) return () => false;
  const { percentage, vars } = fault;
  const rules: readonly CompiledExpression[] = (vars ?? []).map((rule) => compileExpression(rule));
  return (context) => {
    if (percentage !== undefined && Math.random() * 100 >= percentage) return false;
    if (rules.length === 0) return true;
    return rules.some(
      (rule) => rule.kind === 'expression' && rule.holds((name) => context.values(name)),
    );
  };
}
