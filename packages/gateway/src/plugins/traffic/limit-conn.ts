import type { RequestContext } from '../../core/request-context.ts';
import { resolveTemplate } from '../../core/template.ts';
import { definePlugin, type Outcome, type PluginEnvironment } from '../plugin.ts';
import {
  KEY_TYPE,
  type KeyType,
  limitKey,
  REJECT_FIELDS,
  type RejectFields,
  rejection,
} from './limit-key.ts';
import { PLACES } from './places.ts';
import { openRedis, REDIS_CONDITIONS, REDIS_FIELDS, type RedisFields } from './redis-connection.ts';
import { createRedisPlaces, type Entered } from './redis-places.ts';
import { isTakenOver } from './taken-over.ts';
import { wait } from './wait.ts';

type Amount = number | string;

interface Rule {
  readonly conn: Amount;
  readonly burst: Amount;
  readonly key: string;
}

interface LimitConn extends RejectFields, RedisFields {
  readonly conn?: Amount;
  readonly burst?: Amount;
  readonly key?: string;
  readonly rules?: readonly Rule[];
  readonly default_conn_delay: number;
  readonly only_use_default_delay: boolean;
  readonly key_type: KeyType;
  readonly allow_degradation: boolean;
  /** Seconds. */
  readonly key_ttl: number;
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
  subsystems: ['http', 'stream'],
  summary: 'Bounds how many requests of one key are under way at the same time.',
  secretFields: ['redis_password'],
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
      ...REDIS_FIELDS,
      key_ttl: {
        type: 'integer',
        minimum: 1,
        default: 3600,
        description: 's; with Redis, until a place that was not given back is free',
      },
      allow_degradation: { type: 'boolean', default: false },
      ...REJECT_FIELDS,
    },
    oneOf: [
      { required: ['conn', 'burst', 'default_conn_delay', 'key'] },
      { required: ['default_conn_delay', 'rules'] },
    ],
    allOf: REDIS_CONDITIONS,
  },
  create(conf, environment) {
    const places = placesOf(conf, environment);
    const held = Symbol('held');
    /** Seconds that one request above `conn` waits, a moving average of what requests take. */
    let unitDelay = conf.default_conn_delay;

    /** Takes a place under each rule from `first` on; all are given back when one has none. */
    function enterAll(
      context: RequestContext,
      applied: readonly Applied[],
      taken: Entered[],
    ): Outcome | Promise<Outcome> {
      for (let i = taken.length; i < applied.length; i++) {
        const rule = applied[i];
        if (rule === undefined) break;
        const place = places.enter(rule.key, rule.conn + rule.burst);
        if (place instanceof Promise) {
          return place.then(
            (got) => judge(context, taken, got) ?? enterAll(context, applied, taken),
          );
        }
        const outcome = judge(context, taken, place);
        if (outcome !== undefined) return outcome;
      }
      const units = taken.map(({ count }, i) => unitsAbove(count, applied[i]?.conn ?? count));
      const delayMs = units.reduce((sum, unit) => sum + unit, 0) * unitDelay * 1_000;
      return delayMs < 1 ? undefined : wait(delayMs).then(() => undefined);
    }

    function judge(context: RequestContext, taken: Entered[], place: Place): Outcome {
      if (typeof place === 'object') {
        taken.push(place);
        context.setSlot(held, taken);
        return undefined;
      }
      if (place === undefined && conf.allow_degradation) {
        taken.push(UNCOUNTED);
        return undefined;
      }
      context.setSlot(held, undefined);
      for (const one of taken) one.leave(environment.now());
      return place === 'full' ? rejection(conf) : FAILED;
    }

    return {
      access(context) {
        if (isTakenOver(context, 'limit-conn')) return undefined;
        const applied = rulesFor(context, conf);
        if (applied === undefined || applied.length === 0) {
          return conf.allow_degradation ? undefined : FAILED;
        }
        return enterAll(context, applied, []);
      },
      log(context) {
        const taken = context.slot<readonly Entered[]>(held);
        if (taken === undefined) return;
        context.setSlot(held, undefined);
        for (const place of taken) place.leave(environment.now());
        if (conf.only_use_default_delay) return;
        const tookS = (environment.now() - context.startMs) / 1_000;
        unitDelay = (unitDelay + Math.max(0, tookS)) / 2;
      },
      close: places.close,
    };
  },
});

const FAILED: Outcome = { status: 500, body: { error_msg: 'failed to limit conn' } };

/** Stands where nobody could count. */
const UNCOUNTED: Entered = { count: 0, leave: () => undefined };

/** Undefined when the other side that counts could not be asked. */
type Place = Entered | 'full' | undefined;

interface Places {
  enter(key: string, most: number): Place | Promise<Place>;
  close(): void;
}

/** Counted in this gateway, or in Redis over one connection. */
function placesOf(conf: LimitConn, environment: PluginEnvironment): Places {
  const { origin, now, warn } = environment;
  const identity = `${origin.kind} ${origin.id} ${JSON.stringify(conf)}`;
  if (conf.policy === 'local') return localPlaces(environment, identity);
  const connection = openRedis(conf, warn);
  const places = createRedisPlaces(connection, identity, warn);
  const ttlMs = conf.key_ttl * 1_000;
  return {
    enter: (key, most) => places.enter(key, { most, ttlMs, nowMs: now() }),
    close: connection.close,
  };
}

function localPlaces({ common, process }: PluginEnvironment, identity: string): Places {
  const places = common(PLACES, identity, undefined);
  return {
    enter(key, most) {
      const leave = (): void => void places.leave(key, process);
      const placeOf = (count: number | undefined): Place =>
        count === undefined ? 'full' : { count, leave };
      const count = places.enter(key, most, process);
      return count instanceof Promise ? count.then(placeOf) : placeOf(count);
    },
    close: () => undefined,
  };
}

/** How often `conn` fits into the requests before this one, when it is above it. */
function unitsAbove(count: number, conn: number): number {
  return count > conn ? Math.floor((count - 1) / conn) : 0;
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
