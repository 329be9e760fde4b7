import type { HeaderFields } from '../core/http/header-fields.ts';
import { patternFault, patternsOf } from '../core/match/pattern.ts';
import type { PluginConf } from '../core/objects.ts';
import { definePlugin, type PluginEnvironment } from './plugin.ts';

interface Cors {
  readonly allow_origins: string;
  readonly allow_methods: string;
  readonly allow_headers: string;
  readonly expose_headers?: string;
  readonly max_age: number;
  readonly allow_credential: boolean;
  readonly allow_origins_by_regex?: readonly string[];
  readonly allow_origins_by_metadata?: readonly string[];
  readonly timing_allow_origins?: string;
  readonly timing_allow_origins_by_regex?: readonly string[];
}

/** What `**` stands for. */
const EVERY_METHOD = 'GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE';
const ORIGINS = '^(\\*|\\*\\*|null|\\w+://[^,]+(,\\w+://[^,]+)*)$';
const ORIGIN_LIST = { type: 'string', pattern: ORIGINS } as const;
const PATTERNS = {
  type: 'array',
  minItems: 1,
  uniqueItems: true,
  items: { type: 'string', minLength: 1, maxLength: 4096 },
} as const;

/** Tells browsers which other origins may ask and read. Source: the Fetch standard, CORS protocol. */
export const cors = definePlugin<Cors>({
  name: 'cors',
  priority: 4000,
  summary: 'Tells browsers which other origins may ask and read the answer.',
  example: { allow_origins: 'https://app.example.com', allow_methods: 'GET,POST', max_age: 600 },
  notes: ['Every OPTIONS request is answered 200 by the gateway, before authentication.'],
  schema: {
    type: 'object',
    properties: {
      allow_origins: { ...ORIGIN_LIST, default: '*' },
      allow_methods: { type: 'string', default: '*' },
      allow_headers: { type: 'string', default: '*' },
      expose_headers: { type: 'string' },
      max_age: { type: 'integer', default: 5 },
      allow_credential: { type: 'boolean', default: false },
      allow_origins_by_regex: PATTERNS,
      allow_origins_by_metadata: PATTERNS,
      timing_allow_origins: ORIGIN_LIST,
      timing_allow_origins_by_regex: PATTERNS,
    },
  },
  metadataSchema: {
    type: 'object',
    properties: {
      allow_origins: { type: 'object', additionalProperties: ORIGIN_LIST },
    },
  },
  check(conf) {
    const { allow_origins, allow_methods, allow_headers, expose_headers } = conf;
    const values = [allow_origins, allow_methods, allow_headers, expose_headers];
    const isOpen = values.includes('*') || conf.timing_allow_origins === '*';
    if (conf.allow_credential && isOpen) {
      return "you can not set '*' for other option when 'allow_credential' is true";
    }
    const { allow_origins_by_regex = [], timing_allow_origins_by_regex = [] } = conf;
    return patternFault([...allow_origins_by_regex, ...timing_allow_origins_by_regex]);
  },
  create(conf, environment) {
    const asked = Symbol('asked');
    const allowed = originTest(conf.allow_origins, conf.allow_origins_by_regex);
    const timed = originTest(conf.timing_allow_origins ?? '', conf.timing_allow_origins_by_regex);
    const byMetadata = conf.allow_origins_by_metadata ?? [];

    function allowedOrigin(origin: string | undefined): string | undefined {
      const own = allowed(origin);
      if (own !== undefined || byMetadata.length === 0) return own;
      const lists = metadataOrigins(environment);
      return byMetadata
        .map((name) => originTest(lists[name] ?? '', undefined)(origin))
        .find((found) => found !== undefined);
    }

    return {
      rewrite(context) {
        const { headers, method } = context;
        // As the client sent them: a later plugin may rewrite the fields.
        context.setSlot(asked, {
          origin: headers.get('origin'),
          headers: headers.joined('access-control-request-headers'),
        });
        return method === 'OPTIONS' ? { status: 200 } : undefined;
      },
      header_filter(context) {
        const { response } = context;
        if (response === undefined) return;
        const ask = context.slot<Asked>(asked) ?? { origin: undefined, headers: undefined };
        const origin = allowedOrigin(ask.origin);
        // What depends on the origin must not be given to another from a cache.
        if (conf.allow_origins !== '*') addVary(response.fields);
        const timing = timed(ask.origin);
        if (timing !== undefined) response.fields.set('Timing-Allow-Origin', timing);
        if (origin !== undefined) writeFields(response.fields, conf, origin, ask);
      },
    };
  },
});

interface Asked {
  readonly origin: string | undefined;
  readonly headers: string | undefined;
}

type OriginTest = (origin: string | undefined) => string | undefined;

/** What to answer for an origin; undefined when it may not ask. Patterns stand for the list. */
function originTest(list: string, sources: readonly string[] | undefined): OriginTest {
  if (sources !== undefined) {
    const patterns = patternsOf(sources);
    return (origin) =>
      origin !== undefined && patterns.some((pattern) => pattern.test(origin)) ? origin : undefined;
  }
  if (list === '*') return () => '*';
  if (list === '**') return (origin) => origin ?? '*';
  const origins = new Set(list.split(','));
  return (origin) => (origin !== undefined && origins.has(origin) ? origin : undefined);
}

function metadataOrigins({
  metadata,
}: Pick<PluginEnvironment, 'metadata'>): Readonly<Record<string, string>> {
  // Checked edge: the metadata schema has accepted it.
  const { allow_origins } = (metadata() ?? {}) as PluginConf & {
    readonly allow_origins?: Readonly<Record<string, string>>;
  };
  return allow_origins ?? {};
}

function writeFields(fields: HeaderFields, conf: Cors, origin: string, ask: Asked): void {
  const { allow_methods, allow_headers, expose_headers } = conf;
  fields.set('Access-Control-Allow-Origin', origin);
  fields.set('Access-Control-Allow-Methods', allow_methods === '**' ? EVERY_METHOD : allow_methods);
  fields.set('Access-Control-Max-Age', String(conf.max_age));
  if (expose_headers) fields.set('Access-Control-Expose-Headers', expose_headers);
  if (allow_headers !== '**') fields.set('Access-Control-Allow-Headers', allow_headers);
  else if (ask.headers !== undefined) fields.set('Access-Control-Allow-Headers', ask.headers);
  else fields.remove('Access-Control-Allow-Headers');
  if (conf.allow_credential) fields.set('Access-Control-Allow-Credentials', 'true');
}

function addVary(fields: HeaderFields): void {
  const given = fields.joined('vary');
  if (given === '*' || given?.split(/\s*,\s*/).some((one) => /^origin$/i.test(one))) return;
  fields.set('Vary', given === undefined ? 'Origin' : `${given}, Origin`);
}
