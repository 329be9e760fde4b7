import { METHODS } from '../core/methods.ts';
import { ADDRESS, HOST } from '../core/network-schemas.ts';
import type { JsonSchema } from '../plugins/plugin.ts';
import { ID, METADATA } from './object-metadata.ts';
import { SECRET_SCHEMAS } from './secret-schemas.ts';

/** JSON Schemas of the Admin API's objects. Source: ../shared/reference/apisix.md §1.2 and §3. */
const HOSTS = { type: 'array', items: HOST, minItems: 1, uniqueItems: true } as const;
const SECONDS = { type: 'number', exclusiveMinimum: 0 } as const;
const TIMEOUT = {
  type: 'object',
  properties: { connect: SECONDS, send: SECONDS, read: SECONDS },
  required: ['connect', 'send', 'read'],
} as const;
const PLUGINS = { type: 'object' } as const;

const WEIGHT = { type: 'integer', minimum: 0 } as const;
const STATUSES = (...defaults: readonly number[]) => ({
  type: 'array',
  minItems: 1,
  items: { type: 'integer', minimum: 200, maximum: 599 },
  uniqueItems: true,
  default: defaults,
});
const COUNT = (fallback: number, minimum = 0) => ({
  type: 'integer',
  minimum,
  maximum: 254,
  default: fallback,
});
const INTERVAL = { type: 'integer', minimum: 1, default: 1 } as const;

const CHECKS = {
  type: 'object',
  anyOf: [{ required: ['active'] }, { required: ['active', 'passive'] }],
  additionalProperties: false,
  properties: {
    active: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['http', 'https', 'tcp'], default: 'http' },
        timeout: { type: 'number', default: 1 },
        concurrency: { type: 'integer', default: 10 },
        host: { type: 'string', pattern: '^\\*?[0-9a-zA-Z-._\\[\\]:]+$' },
        port: { type: 'integer', minimum: 1, maximum: 65535 },
        http_method: { type: 'string', default: 'GET' },
        http_path: { type: 'string', default: '/' },
        http_req_body: { type: 'string', default: '' },
        https_verify_certificate: { type: 'boolean', default: true },
        req_headers: { type: 'array', minItems: 1, items: { type: 'string' }, uniqueItems: true },
        healthy: {
          type: 'object',
          properties: {
            interval: INTERVAL,
            http_statuses: STATUSES(200, 302),
            successes: COUNT(2, 1),
          },
          default: {},
        },
        unhealthy: {
          type: 'object',
          properties: {
            interval: INTERVAL,
            http_statuses: STATUSES(429, 404, 500, 501, 502, 503, 504, 505),
            http_failures: COUNT(5, 1),
            tcp_failures: COUNT(2, 1),
            timeouts: COUNT(3, 1),
          },
          default: {},
        },
      },
    },
    passive: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['http', 'https', 'tcp'], default: 'http' },
        healthy: {
          type: 'object',
          properties: {
            http_statuses: STATUSES(
              ...[200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304],
              ...[305, 306, 307, 308],
            ),
            successes: COUNT(5),
          },
          default: {},
        },
        unhealthy: {
          type: 'object',
          properties: {
            http_statuses: STATUSES(429, 500, 503),
            tcp_failures: COUNT(2),
            timeouts: COUNT(7),
            http_failures: COUNT(5),
          },
          default: {},
        },
      },
    },
  },
} as const;

const CERTIFICATE = { type: 'string', minLength: 128, maxLength: 65536 } as const;

const UPSTREAM_PROPERTIES = {
  ...METADATA,
  nodes: {
    anyOf: [
      { type: 'object', patternProperties: { '.*': WEIGHT } },
      {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            host: { type: 'string', pattern: '^[0-9a-zA-Z-._\\[\\]:]+$' },
            port: { type: 'integer', minimum: 1, maximum: 65535 },
            weight: WEIGHT,
            priority: { type: 'integer', default: 0 },
            metadata: { type: 'object' },
          },
          required: ['host', 'weight'],
        },
      },
    ],
  },
  retries: { type: 'integer', minimum: 0 },
  retry_timeout: { type: 'number', minimum: 0 },
  timeout: TIMEOUT,
  tls: {
    type: 'object',
    properties: {
      client_cert_id: ID,
      client_cert: CERTIFICATE,
      client_key: CERTIFICATE,
      verify: { type: 'boolean', default: false },
    },
    dependencies: {
      client_cert: { required: ['client_key'], not: { required: ['client_cert_id'] } },
      client_key: { required: ['client_cert'], not: { required: ['client_cert_id'] } },
      client_cert_id: { not: { required: ['client_cert', 'client_key'] } },
    },
  },
  keepalive_pool: {
    type: 'object',
    properties: {
      size: { type: 'integer', default: 320, minimum: 1 },
      idle_timeout: { type: 'number', default: 60, minimum: 0 },
      requests: { type: 'integer', default: 1000, minimum: 1 },
    },
  },
  // Stricter than APISIX, which accepts any text here and then fails each request.
  type: {
    type: 'string',
    enum: ['roundrobin', 'chash', 'ewma', 'least_conn'],
    default: 'roundrobin',
  },
  checks: CHECKS,
  hash_on: {
    type: 'string',
    default: 'vars',
    enum: ['vars', 'header', 'cookie', 'consumer', 'vars_combinations'],
  },
  key: { type: 'string' },
  scheme: {
    default: 'http',
    enum: ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'udp', 'kafka'],
  },
  discovery_type: { type: 'string' },
  discovery_args: { type: 'object' },
  service_name: { type: 'string', minLength: 1, maxLength: 256 },
  pass_host: { type: 'string', enum: ['pass', 'node', 'rewrite'], default: 'pass' },
  upstream_host: { type: 'string', pattern: '^\\*?[0-9a-zA-Z-._\\[\\]:]+$' },
} as const;

const UPSTREAM = {
  type: 'object',
  properties: UPSTREAM_PROPERTIES,
  additionalProperties: false,
  oneOf: [{ required: ['nodes'] }, { required: ['service_name', 'discovery_type'] }],
} as const;

const METHOD_LIST = {
  type: 'array',
  uniqueItems: true,
  items: { type: 'string', enum: METHODS },
} as const;
const URI = { type: 'string', minLength: 1, maxLength: 4096 } as const;

const ROUTE = {
  type: 'object',
  properties: {
    ...METADATA,
    uri: URI,
    uris: { type: 'array', items: { type: 'string' }, minItems: 1, uniqueItems: true },
    priority: { type: 'integer', default: 0 },
    timeout: TIMEOUT,
    methods: METHOD_LIST,
    host: HOST,
    hosts: HOSTS,
    remote_addr: ADDRESS,
    remote_addrs: { type: 'array', items: ADDRESS, minItems: 1, uniqueItems: true },
    vars: { type: 'array' },
    filter_func: { type: 'string', minLength: 10, pattern: '^function' },
    script: { type: 'string', minLength: 10, maxLength: 102400 },
    script_id: ID,
    plugins: PLUGINS,
    plugin_config_id: ID,
    upstream: UPSTREAM,
    upstream_id: ID,
    service_id: ID,
    enable_websocket: { type: 'boolean' },
    status: { type: 'integer', enum: [1, 0], default: 1 },
  },
  allOf: [
    { oneOf: [{ required: ['uri'] }, { required: ['uris'] }] },
    {
      oneOf: [
        { not: { anyOf: [{ required: ['host'] }, { required: ['hosts'] }] } },
        { required: ['host'] },
        { required: ['hosts'] },
      ],
    },
    {
      oneOf: [
        { not: { anyOf: [{ required: ['remote_addr'] }, { required: ['remote_addrs'] }] } },
        { required: ['remote_addr'] },
        { required: ['remote_addrs'] },
      ],
    },
  ],
  additionalProperties: false,
} as const;

const PLUGINS_ONLY = {
  type: 'object',
  properties: { ...METADATA, plugins: PLUGINS },
  required: ['plugins'],
  additionalProperties: false,
} as const;

const SNI = { type: 'string', pattern: '^\\*?[0-9a-zA-Z-._]+$' } as const;

const SSL = {
  type: 'object',
  properties: {
    ...METADATA,
    type: { type: 'string', default: 'server', enum: ['server', 'client'] },
    cert: CERTIFICATE,
    key: CERTIFICATE,
    certs: { type: 'array', items: CERTIFICATE },
    keys: { type: 'array', items: CERTIFICATE },
    sni: SNI,
    snis: { type: 'array', items: SNI, minItems: 1 },
    client: {
      type: 'object',
      properties: {
        ca: CERTIFICATE,
        depth: { type: 'integer', minimum: 0, default: 1 },
        skip_mtls_uri_regex: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: { type: 'string' },
        },
      },
      required: ['ca'],
    },
    status: { type: 'integer', enum: [1, 0], default: 1 },
    ssl_protocols: {
      type: 'array',
      maxItems: 3,
      uniqueItems: true,
      items: { enum: ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] },
    },
  },
  if: { properties: { type: { const: 'server' } } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { anyOf: [{ required: ['sni', 'key', 'cert'] }, { required: ['snis', 'key', 'cert'] }] },
  else: { required: ['key', 'cert'] },
  additionalProperties: false,
} as const;

/** By the name that paths carry in the plural; `/v1/schema` gives these as `main`. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  routes: ROUTE,
  services: {
    type: 'object',
    properties: {
      ...METADATA,
      plugins: PLUGINS,
      upstream: UPSTREAM,
      upstream_id: ID,
      script: { type: 'string', minLength: 10, maxLength: 102400 },
      enable_websocket: { type: 'boolean' },
      hosts: HOSTS,
    },
    additionalProperties: false,
  },
  upstreams: UPSTREAM,
  consumers: {
    type: 'object',
    properties: {
      ...METADATA,
      username: { type: 'string', pattern: '^[a-zA-Z0-9_\\-]+$', minLength: 1, maxLength: 256 },
      group_id: ID,
      plugins: PLUGINS,
    },
    required: ['username'],
    additionalProperties: false,
  },
  credentials: {
    type: 'object',
    properties: { ...METADATA, plugins: { type: 'object', maxProperties: 1 } },
    additionalProperties: false,
  },
  consumer_groups: PLUGINS_ONLY,
  plugin_configs: PLUGINS_ONLY,
  global_rules: PLUGINS_ONLY,
  ssls: SSL,
  secrets: { type: 'object', oneOf: Object.values(SECRET_SCHEMAS) },
  protos: {
    type: 'object',
    properties: { ...METADATA, content: { type: 'string', minLength: 1, maxLength: 1024 * 1024 } },
    required: ['content'],
    additionalProperties: false,
  },
  stream_routes: {
    type: 'object',
    properties: {
      ...METADATA,
      remote_addr: ADDRESS,
      server_addr: ADDRESS,
      server_port: { type: 'integer' },
      sni: SNI,
      upstream: UPSTREAM,
      upstream_id: ID,
      service_id: ID,
      plugins: PLUGINS,
      protocol: { type: 'object' },
    },
    additionalProperties: false,
  },
};
