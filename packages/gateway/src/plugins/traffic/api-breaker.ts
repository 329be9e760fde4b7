import type { Answer } from '../../core/answer.ts';
import { errorPage } from '../../core/answer.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { resolveTemplate } from '../../core/template.ts';
import { definePlugin, type Outcome } from '../plugin.ts';
import { CIRCUITS, type CircuitPolicy } from './circuit-book.ts';

interface ApiBreaker {
  readonly break_response_code: number;
  readonly break_response_body?: string;
  readonly break_response_headers?: readonly { readonly key: string; readonly value: string }[];
  readonly max_breaker_sec: number;
  readonly policy: 'unhealthy-count' | 'unhealthy-ratio';
  readonly unhealthy: {
    readonly http_statuses: readonly number[];
    readonly failures: number;
    readonly error_ratio: number;
    readonly min_request_threshold: number;
    readonly sliding_window_size: number;
    readonly half_open_max_calls: number;
  };
  readonly healthy: {
    readonly http_statuses: readonly number[];
    readonly successes: number;
    readonly success_ratio: number;
  };
}

const statuses = (from: number, to: number, fallback: number) => ({
  type: 'array',
  minItems: 1,
  items: { type: 'integer', minimum: from, maximum: to },
  uniqueItems: true,
  default: [fallback],
});
const RATIO = { type: 'number', minimum: 0, maximum: 1 } as const;
const COUNT = { type: 'integer', minimum: 1 } as const;

/** Stops asking an upstream that fails, and answers in its place. */
export const apiBreaker = definePlugin<ApiBreaker>({
  name: 'api-breaker',
  priority: 1005,
  summary: 'Stops asking an upstream that fails, and answers in its place.',
  schema: {
    type: 'object',
    properties: {
      break_response_code: { type: 'integer', minimum: 200, maximum: 599 },
      break_response_body: { type: 'string' },
      break_response_headers: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            key: { type: 'string', minLength: 1 },
            value: { type: 'string', minLength: 1 },
          },
          required: ['key', 'value'],
        },
      },
      max_breaker_sec: { type: 'integer', minimum: 3, default: 300 },
      policy: {
        type: 'string',
        enum: ['unhealthy-count', 'unhealthy-ratio'],
        default: 'unhealthy-count',
      },
      unhealthy: {
        type: 'object',
        properties: {
          http_statuses: statuses(500, 599, 500),
          failures: { ...COUNT, default: 3 },
          error_ratio: { ...RATIO, default: 0.5 },
          min_request_threshold: { ...COUNT, default: 10 },
          sliding_window_size: { type: 'integer', minimum: 1, maximum: 3600, default: 300 },
          half_open_max_calls: { type: 'integer', minimum: 1, maximum: 20, default: 3 },
        },
        default: {},
      },
      healthy: {
        type: 'object',
        properties: {
          http_statuses: statuses(200, 499, 200),
          successes: { ...COUNT, default: 3 },
          success_ratio: { ...RATIO, default: 0.6 },
        },
        default: {},
      },
    },
    required: ['break_response_code'],
  },
  create(conf, environment) {
    const { origin } = environment;
    const identity = `${origin.kind} ${origin.id} ${JSON.stringify(conf)}`;
    const circuits = environment.common(CIRCUITS, identity, policyOf(conf));
    const admitted = Symbol('admitted');

    return {
      access(context) {
        const place = context.host + context.path;
        const judge = (isAdmitted: boolean): Outcome => {
          if (!isAdmitted) return breakAnswer(context, conf);
          context.setSlot(admitted, place);
          return undefined;
        };
        const isAdmitted = circuits.admit(place, environment.now());
        return isAdmitted instanceof Promise ? isAdmitted.then(judge) : judge(isAdmitted);
      },
      log(context) {
        // What other plugins answered says nothing about the upstream.
        const status = context.tries.at(-1)?.status;
        const place = context.slot<string>(admitted);
        if (status === undefined || place === undefined) return;
        void circuits.settle(place, status, environment.now());
      },
    };
  },
});

function policyOf({ policy, unhealthy, healthy, max_breaker_sec }: ApiBreaker): CircuitPolicy {
  const unhealthyStatuses = unhealthy.http_statuses;
  const breakMs = max_breaker_sec * 1_000;
  if (policy === 'unhealthy-count') {
    return {
      kind: 'count',
      unhealthyStatuses,
      healthyStatuses: healthy.http_statuses,
      failures: unhealthy.failures,
      successes: healthy.successes,
      breakMaxMs: breakMs,
    };
  }
  return {
    kind: 'ratio',
    unhealthyStatuses,
    errorRatio: unhealthy.error_ratio,
    requestsMin: unhealthy.min_request_threshold,
    windowMs: unhealthy.sliding_window_size * 1_000,
    trialMax: unhealthy.half_open_max_calls,
    successRatio: healthy.success_ratio,
    breakMs,
  };
}

/** Headers only with a body, as APISIX has it. Of several Content-Types the last one stands. */
function breakAnswer(context: RequestContext, conf: ApiBreaker): Answer {
  const { break_response_code: status, break_response_body: body } = conf;
  if (body === undefined) return { ...errorPage(status), source: 'apisix' };
  const headers: Record<string, string | string[]> = {};
  for (const { key, value } of conf.break_response_headers ?? []) {
    const { text } = resolveTemplate(context, value);
    const known = headers[key];
    const isSingle = known === undefined || key.toLowerCase() === 'content-type';
    headers[key] = isSingle ? text : [...[known].flat(), text];
  }
  return { status, body, headers };
}
