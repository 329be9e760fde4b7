import { definePlugin } from '../plugin.ts';
import { createLeakyBucket } from './leaky-bucket.ts';
import {
  KEY_TYPE,
  type KeyType,
  limitKey,
  REJECT_FIELDS,
  type RejectFields,
  rejection,
} from './limit-key.ts';
import { wait } from './wait.ts';

interface LimitReq extends RejectFields {
  readonly rate: number;
  readonly burst: number;
  readonly key: string;
  readonly key_type: KeyType;
  readonly nodelay: boolean;
}

const KEYS_MAX = 100_000;

/** Slows requests of one key down to a rate, and refuses those above the burst. */
export const limitReq = definePlugin<LimitReq>({
  name: 'limit-req',
  priority: 1001,
  summary: 'Slows requests of one key down to a rate, and refuses those above the burst.',
  schema: {
    type: 'object',
    properties: {
      rate: { type: 'number', exclusiveMinimum: 0 },
      burst: { type: 'number', minimum: 0 },
      key: { type: 'string', minLength: 1 },
      key_type: KEY_TYPE,
      policy: { type: 'string', enum: ['local'], default: 'local' },
      nodelay: { type: 'boolean', default: false },
      allow_degradation: { type: 'boolean', default: false },
      ...REJECT_FIELDS,
    },
    required: ['rate', 'burst', 'key'],
  },
  create(conf, environment) {
    const { origin } = environment;
    const bucket = environment.shared(`${origin.kind} ${origin.id} ${JSON.stringify(conf)}`, () =>
      createLeakyBucket({ keysMax: KEYS_MAX }),
    );
    return {
      access(context) {
        const key = limitKey(context, conf.key_type, conf.key);
        const { rate, burst } = conf;
        const delayMs = bucket.take(key, { rate, burst, nowMs: environment.now() });
        if (delayMs === undefined) return rejection(conf);
        if (conf.nodelay || delayMs < 1) return undefined;
        return wait(delayMs).then(() => undefined);
      },
    };
  },
});
