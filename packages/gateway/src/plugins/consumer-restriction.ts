import { METHODS } from '../core/methods.ts';
import { messageAnswer, type RequestContext } from '../core/request-context.ts';
import { definePlugin } from './plugin.ts';

type Subject = 'consumer_name' | 'service_id' | 'route_id' | 'consumer_group_id';

interface ConsumerRestriction {
  readonly type: Subject;
  readonly whitelist?: readonly string[];
  readonly blacklist?: readonly string[];
  readonly allowed_by_methods?: readonly {
    readonly user?: string;
    readonly methods?: readonly string[];
  }[];
  readonly rejected_code: number;
  readonly rejected_msg?: string;
}

const SUBJECTS: Readonly<Record<Subject, (context: RequestContext) => string | undefined>> = {
  consumer_name: ({ consumer }) => consumer?.username,
  consumer_group_id: ({ consumer }) => consumer?.groupId,
  service_id: ({ route }) => route?.serviceId,
  route_id: ({ route }) => route?.id,
};

const NAMES = { type: 'array', minItems: 1, items: { type: 'string' } } as const;

/** Lets only some consumers in, or consumers only to some routes and services. */
export const consumerRestriction = definePlugin<ConsumerRestriction>({
  name: 'consumer-restriction',
  priority: 2400,
  summary: 'Lets in or keeps out by consumer, consumer group, route or service.',
  example: { whitelist: ['jack'], rejected_code: 403 },
  schema: {
    type: 'object',
    properties: {
      type: { type: 'string', enum: Object.keys(SUBJECTS), default: 'consumer_name' },
      blacklist: NAMES,
      whitelist: NAMES,
      allowed_by_methods: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            user: { type: 'string' },
            methods: { type: 'array', minItems: 1, items: { type: 'string', enum: METHODS } },
          },
        },
      },
      rejected_code: { type: 'integer', minimum: 200, default: 403 },
      rejected_msg: { type: 'string' },
    },
    anyOf: [
      { required: ['blacklist'] },
      { required: ['whitelist'] },
      { required: ['allowed_by_methods'] },
    ],
  },
  create({ type, whitelist, blacklist, allowed_by_methods = [], rejected_code, rejected_msg }) {
    const allowed = whitelist === undefined ? undefined : new Set(whitelist);
    const denied = new Set(blacklist);
    const methods = new Map(allowed_by_methods.map(({ user = '', methods }) => [user, methods]));
    const forbidden = messageAnswer(rejected_code, rejected_msg ?? `The ${type} is forbidden.`);
    const unknown = messageAnswer(
      401,
      `The request is rejected, please check the ${type} for this request`,
    );

    function isAllowed(value: string, method: string): boolean {
      if (denied.has(value)) return false;
      if (allowed !== undefined) return allowed.has(value);
      // Whom no entry names may use every method.
      return methods.get(value)?.includes(method) ?? true;
    }

    return {
      access(context) {
        const value = SUBJECTS[type](context);
        if (value === undefined) return unknown;
        return isAllowed(value, context.method) ? undefined : forbidden;
      },
    };
  },
});
