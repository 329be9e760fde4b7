import type { RequestContext } from '../core/request-context.ts';
import { resolveTemplate } from '../core/template.ts';
import { FIXED_WINDOW, type WindowAnswer, type WindowAsk } from './fixed-window.ts';
import { definePlugin, type Outcome, type PluginEnvironment } from './plugin.ts';
import {
  openRedis,
  REDIS_CONDITIONS,
  REDIS_FIELDS,
  type RedisFields,
} from './traffic/redis-connection.ts';
import { createRedisWindow } from './traffic/redis-window.ts';
import { isTakenOver } from './traffic/taken-over.ts';

type Amount = number | string;

interface Rule {
  readonly count: Amount;
  readonly time_window: Amount;
  readonly key: string;
  readonly header_prefix?: string;
}

interface LimitCount extends RedisFields {
  readonly count?: Amount;
  readonly time_window?: Amount;
  readonly rules?: readonly Rule[];
  readonly group?: string;
  readonly key: string;
  readonly key_type: 'var' | 'var_combination' | 'constant';
  readonly rejected_code: number;
  readonly rejected_msg?: string;
  readonly allow_degradation: boolean;
  readonly show_limit_quota_header: boolean;
}

const AMOUNT = {
  oneOf: [
    { type: 'integer', exclusiveMinimum: 0 },
    { type: 'string', minLength: 1 },
  ],
} as const;

const RULE = {
  type: 'object',
  properties: {
    count: AMOUNT,
    time_window: AMOUNT,
    key: { type: 'string', minLength: 1 },
    header_prefix: { type: 'string' },
  },
  required: ['count', 'time_window', 'key'],
} as const;

/** Lets `count` requests through for each key in each fixed window of `time_window` seconds. */
export const limitCount = definePlugin<LimitCount>({
  name: 'limit-count',
  priority: 1002,
  summary: 'Lets so many requests of one key through in each window of time.',
  example: { count: 100, time_window: 60, key: 'remote_addr', rejected_code: 429 },
  secretFields: ['redis_password'],
  schema: {
    type: 'object',
    properties: {
      count: AMOUNT,
      time_window: AMOUNT,
      rules: { type: 'array', items: RULE, minItems: 1 },
      group: { type: 'string' },
      key: { type: 'string', default: 'remote_addr' },
      key_type: { type: 'string', enum: ['var', 'var_combination', 'constant'], default: 'var' },
      rejected_code: { type: 'integer', minimum: 200, maximum: 599, default: 503 },
      rejected_msg: { type: 'string', minLength: 1 },
      ...REDIS_FIELDS,
      window_type: { type: 'string', enum: ['fixed'], default: 'fixed' },
      allow_degradation: { type: 'boolean', default: false },
      show_limit_quota_header: { type: 'boolean', default: true },
    },
    oneOf: [{ required: ['count', 'time_window'] }, { required: ['rules'] }],
    allOf: REDIS_CONDITIONS,
  },
  metadataSchema: {
    type: 'object',
    properties: {
      limit_header: { type: 'string', default: 'X-RateLimit-Limit' },
      remaining_header: { type: 'string', default: 'X-RateLimit-Remaining' },
      reset_header: { type: 'string', default: 'X-RateLimit-Reset' },
    },
  },
  check({ rules }) {
    const keys = (rules ?? []).map(({ key }) => key);
    const twice = keys.find((key, at) => keys.indexOf(key) !== at);
    return twice === undefined ? undefined : `duplicate key '${twice}' in rules`;
  },
  create(conf, environment) {
    const { windows, close } = windowsOf(conf, environment);
    const quota = Symbol('quota');

    /** Counts under each rule from `first` on, until one has no quota left. */
    function countAll(
      context: RequestContext,
      shown: [string, string][],
      first: number,
    ): Outcome | Promise<Outcome> {
      for (let i = first; i < windows.length; i += 1) {
        const one = windows[i];
        if (one === undefined) break;
        const ask = askOf(context, conf, one.rule, environment.now());
        if (ask === undefined) continue;
        const judge = (answer: WindowAnswer | undefined): Outcome =>
          verdict(conf, one.rule, environment, ask, answer, shown);
        const answer = ask === 'no amount' ? undefined : one.take(ask.key, ask);
        if (answer instanceof Promise) {
          return answer.then((got) => judge(got) ?? countAll(context, shown, i + 1));
        }
        const outcome = judge(answer);
        if (outcome !== undefined) return outcome;
      }
      if (conf.show_limit_quota_header) context.setSlot(quota, shown);
      return undefined;
    }

    return {
      access(context) {
        return isTakenOver(context, 'limit-count') ? undefined : countAll(context, [], 0);
      },
      header_filter(context) {
        const shown = context.slot<[string, string][]>(quota);
        if (shown === undefined || context.response === undefined) return;
        for (const [name, value] of shown) context.response.fields.set(name, value);
      },
      close,
    };
  },
});

interface CountingWindow {
  readonly rule: Rule;
  /** Undefined when the other side that counts could not be asked. */
  take(key: string, ask: WindowAsk): WindowAnswer | Promise<WindowAnswer | undefined>;
}

/** A window for each rule: in this gateway, or in Redis over one connection. */
function windowsOf(
  conf: LimitCount,
  environment: PluginEnvironment,
): { readonly windows: readonly CountingWindow[]; close(): void } {
  const rules = rulesOf(conf);
  if (conf.policy === 'local') {
    const windows = rules.map((rule, at) => {
      const key = identity(conf, environment, at);
      return { rule, take: environment.common(FIXED_WINDOW, key, undefined).take };
    });
    return { windows, close: () => undefined };
  }
  const { warn } = environment;
  const connection = openRedis(conf, warn);
  const windows = rules.map((rule, at) => {
    const { take } = createRedisWindow(connection, identity(conf, environment, at), warn);
    return { rule, take };
  });
  return { windows, close: connection.close };
}

function rulesOf(conf: LimitCount): readonly Rule[] {
  if (conf.rules !== undefined) return conf.rules;
  return [{ count: conf.count ?? 0, time_window: conf.time_window ?? 1, key: conf.key }];
}

/** A group shares its counters everywhere; else they belong to the place and what it configures. */
function identity(conf: LimitCount, { origin }: PluginEnvironment, at: number): string {
  if (conf.group !== undefined) return `group ${conf.group} ${at}`;
  return `${origin.kind} ${origin.id} ${JSON.stringify(conf)} ${at}`;
}

/** What to count under a rule. Undefined when the rule does not apply to this request. */
function askOf(
  context: RequestContext,
  conf: LimitCount,
  rule: Rule,
  nowMs: number,
): (WindowAsk & { readonly key: string }) | 'no amount' | undefined {
  const limit = amount(context, rule.count);
  const seconds = amount(context, rule.time_window);
  if (limit === undefined || seconds === undefined) return 'no amount';
  const key = keyOf(context, conf, rule);
  return key === undefined ? undefined : { key, limit, windowMs: seconds * 1_000, nowMs };
}

/** An answer when there is no quota left; the headers of those that pass go to `shown`. */
function verdict(
  conf: LimitCount,
  rule: Rule,
  environment: PluginEnvironment,
  ask: WindowAsk | 'no amount',
  answer: WindowAnswer | undefined,
  shown: [string, string][],
): Outcome {
  if (answer === undefined || ask === 'no amount') {
    if (conf.allow_degradation) return undefined;
    return { status: 500, body: { error_msg: 'failed to limit count' } };
  }
  const { isAllowed, remaining, resetMs } = answer;
  const headers = quotaHeaders(environment, rule.header_prefix, [
    ask.limit,
    remaining,
    resetMs / 1_000,
  ]);
  if (isAllowed) {
    shown.push(...headers);
    return undefined;
  }
  const body = conf.rejected_msg === undefined ? {} : { body: { error_msg: conf.rejected_msg } };
  const given = conf.show_limit_quota_header ? { headers: Object.fromEntries(headers) } : {};
  return { status: conf.rejected_code, ...body, ...given };
}

function quotaHeaders(
  environment: PluginEnvironment,
  prefix: string | undefined,
  [limit, remaining, reset]: readonly [number, number, number],
): [string, string][] {
  const names = environment.metadata() ?? {};
  const name = (field: string, suffix: string): string => {
    if (prefix !== undefined) return `X-${prefix}-RateLimit-${suffix}`;
    const given = names[field];
    return typeof given === 'string' ? given : `X-RateLimit-${suffix}`;
  };
  return [
    [name('limit_header', 'Limit'), String(limit)],
    [name('remaining_header', 'Remaining'), String(remaining)],
    [name('reset_header', 'Reset'), String(Math.ceil(reset))],
  ];
}

/** A number, or the number that a template of variables gives; undefined when it gives none. */
function amount(context: RequestContext, given: Amount): number | undefined {
  const value = typeof given === 'number' ? given : Number(resolveTemplate(context, given).text);
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** The key to count under. A rule whose variables are all missing does not apply. */
function keyOf(context: RequestContext, conf: LimitCount, rule: Rule): string | undefined {
  if (conf.rules !== undefined) {
    const { text, resolvedCount } = resolveTemplate(context, rule.key);
    return resolvedCount === 0 ? undefined : text;
  }
  if (conf.key_type === 'constant') return rule.key;
  if (conf.key_type === 'var') return context.variable(rule.key) || context.clientIp;
  const { text, resolvedCount } = resolveTemplate(context, rule.key);
  return resolvedCount === 0 ? context.clientIp : text;
}
