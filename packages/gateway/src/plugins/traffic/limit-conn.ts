import type { RequestContext } from '../../core/request-context.ts';
import { resolveTemplate } from '../../core/template.ts';
import { definePlugin, type Outcome } from '../plugin.ts';
import {
  KEY_TYPE,
  type KeyType,
  limitKey,
  REJECT_FIELDS,
  type RejectFields,
  rejection,
} from './limit-key.ts';
import { isTakenOver } from './taken-over.ts';
import { wait } from './wait.ts';

type Amount = number | string;

interface Rule {
  readonly conn: Amount;
  readonly burst: Amount;
  readonly key: string;
}

interface LimitConn extends RejectFields {
  readonly conn?: Amount;
  readonly burst?: Amount;
  readonly key?: string;
  readonly rules?: readonly Rule[];
  readonly default_conn_delay: number;
  readonly only_use_default_delay: boolean;
  readonly key_type: KeyType;
  readonly allow_degradation: boolean;
}

/** Requests under way of one key. A key without any is forgotten, so clients bound the memory. */
interface Counts {
  readonly byKey: Map<string, number>;
  /** Seconds that one request above `conn` waits, a moving average of what requests take. */
  unitDelay: number;
}

/** A rule that applies to this request. */
interface Applied {
  readonly key: string;
  readonly conn: number;
  readonly burst: number;
}

const amountOf = (minimum: object) => ({
  oneOf: [
    { type: 'integer', ...minimum },
    { type: 'string', minLength: 1 },
  ],
});
const CONN = amountOf({ exclusiveMinimum: 0 });
const BURST = amountOf({ minimum: 0 });
const KEY = { type: 'string', minLength: 1 } as const;

/** Bounds how many requests of one key are under way: those above `conn` wait, then are refused. */
export const limitConn = definePlugin<LimitConn>({
  name: 'limit-conn',
  priority: 1003,
  summary: 'Bounds how many requests of one key are under way at the same time.',
  schema: {
    type: 'object',
    properties: {
      conn: CONN,
      burst: BURST,
      key: KEY,
      key_type: KEY_TYPE,
      rules: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          properties: { conn: CONN, burst: BURST, key: KEY },
          required: ['conn', 'burst', 'key'],
        },
      },
      default_conn_delay: { type: 'number', exclusiveMinimum: 0 },
      only_use_default_delay: { type: 'boolean', default: false },
      policy: { type: 'string', enum: ['local'], default: 'local' },
      allow_degradation: { type: 'boolean', default: false },
      ...REJECT_FIELDS,
    },
    oneOf: [
      { required: ['conn', 'burst', 'default_conn_delay', 'key'] },
      { required: ['default_conn_delay', 'rules'] },
    ],
  },
  create(conf, environment) {
    const counts: Counts = { byKey: new Map(), unitDelay: conf.default_conn_delay };
    const held = Symbol('held');
    return {
      access(context) {
        if (isTakenOver(context, 'limit-conn')) return undefined;
        const applied = rulesFor(context, conf);
        if (applied === undefined || applied.length === 0) {
          return conf.allow_degradation ? undefined : FAILED;
        }
        return enter(context, conf, counts, applied, held);
      },
      log(context) {
        const keys = context.slot<string[]>(held);
        if (keys === undefined) return;
        context.setSlot(held, undefined);
        for (const key of keys) leave(counts, key);
        if (conf.only_use_default_delay) return;
        const tookS = (environment.now() - context.startMs) / 1_000;
        counts.unitDelay = (counts.unitDelay + Math.max(0, tookS)) / 2;
      },
    };
  },
});

const FAILED: Outcome = { status: 500, body: { error_msg: 'failed to limit conn' } };

/** Takes a place under each rule; all are given back when one has none. */
function enter(
  context: RequestContext,
  conf: LimitConn,
  { byKey, unitDelay }: Counts,
  applied: readonly Applied[],
  held: symbol,
): Outcome | Promise<Outcome> {
  const isFull = applied.some(({ key, conn, burst }) => (byKey.get(key) ?? 0) + 1 > conn + burst);
  if (isFull) return rejection(conf);
  let delayMs = 0;
  for (const { key, conn } of applied) {
    const count = (byKey.get(key) ?? 0) + 1;
    byKey.set(key, count);
    if (count > conn) delayMs += Math.floor((count - 1) / conn) * unitDelay * 1_000;
  }
  context.setSlot(
    held,
    applied.map(({ key }) => key),
  );
  return delayMs < 1 ? undefined : wait(delayMs).then(() => undefined);
}

function leave({ byKey }: Counts, key: string): void {
  const count = (byKey.get(key) ?? 1) - 1;
  if (count <= 0) byKey.delete(key);
  else byKey.set(key, count);
}

/** Undefined when an amount is none; rules whose variables are all missing do not apply. */
function rulesFor(context: RequestContext, conf: LimitConn): readonly Applied[] | undefined {
  const applied: Applied[] = [];
  const { conn = 0, burst = 0, key = '' } = conf;
  for (const [at, rule] of (conf.rules ?? [{ conn, burst, key }]).entries()) {
    const name =
      conf.rules === undefined ? limitKey(context, conf.key_type, key) : ruleKey(context, rule);
    if (name === undefined) continue;
    const most = amount(context, rule.conn, 1);
    const above = amount(context, rule.burst, 0);
    if (most === undefined || above === undefined) return undefined;
    applied.push({ key: `${at} ${name}`, conn: most, burst: above });
  }
  return applied;
}

function ruleKey(context: RequestContext, { key }: Rule): string | undefined {
  const { text, resolvedCount } = resolveTemplate(context, key);
  return resolvedCount === 0 ? undefined : text;
}

function amount(context: RequestContext, given: Amount, least: number): number | undefined {
  const value = typeof given === 'number' ? given : Number(resolveTemplate(context, given).text);
  return Number.isSafeInteger(value) && value >= least ? value : undefined;
}
