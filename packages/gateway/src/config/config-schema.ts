import type { JsonSchema } from '../plugins/plugin.ts';

const PORT = { type: 'integer', minimum: 0, maximum: 65535 } as const;
const LISTEN = {
  type: 'object',
  properties: { ip: { type: 'string' }, port: PORT },
  additionalProperties: false,
} as const;
/** `enable_http2` on a port without TLS. */
const PROXY_LISTEN = {
  ...LISTEN,
  properties: { ...LISTEN.properties, enable_http2: { type: 'boolean' } },
} as const;
/** `9100` and `127.0.0.1:9100`. */
const STREAM_ADDRESS = [PORT, { type: 'string', pattern: '^(?:[^\\s]+:)?\\d{1,5}$' }];
const bool = (fallback: boolean) => ({ type: 'boolean', default: fallback });
const object = (properties: Readonly<Record<string, unknown>>) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  default: {},
});
const TEXTS = { type: 'array', items: { type: 'string' } } as const;
const SEAL_KEY = { type: 'string', pattern: '^(.{16}|.{32})$' } as const;
const DURATION = { type: ['string', 'number'] } as const;

const ACCESS_LOG = {
  access_log: { type: 'string' },
  access_log_format: { type: 'string' },
  access_log_format_escape: {
    type: 'string',
    enum: ['default', 'json', 'none'],
    default: 'default',
  },
} as const;

/** What of APISIX's config.yaml has a meaning here. Source: ../shared/reference/apisix.md §6. */
export const CONFIG_SCHEMA: JsonSchema = object({
  apisix: object({
    node_listen: {
      default: [9080],
      anyOf: [PORT, { type: 'array', items: { anyOf: [PORT, PROXY_LISTEN] } }],
    },
    proxy_mode: { type: 'string', enum: ['http', 'stream', 'http&stream'], default: 'http' },
    stream_proxy: object({
      tcp: {
        type: 'array',
        default: [],
        items: {
          anyOf: [
            ...STREAM_ADDRESS,
            {
              type: 'object',
              properties: {
                addr: { anyOf: STREAM_ADDRESS },
                tls: bool(false),
                proxy_protocol: { type: 'boolean' },
                proxy_protocol_to_upstream: { type: 'boolean' },
              },
              required: ['addr'],
              additionalProperties: false,
            },
          ],
        },
      },
      udp: { type: 'array', default: [], items: { anyOf: STREAM_ADDRESS } },
    }),
    enable_admin: bool(true),
    enable_http2: bool(true),
    proxy_protocol: {
      type: 'object',
      properties: {
        listen_http_port: PORT,
        listen_https_port: PORT,
        enable_tcp_pp: bool(false),
        enable_tcp_pp_to_upstream: bool(false),
      },
      additionalProperties: false,
    },
    enable_control: bool(true),
    control: object({
      ip: { type: 'string', default: '127.0.0.1' },
      port: { ...PORT, default: 9090 },
    }),
    enable_server_tokens: bool(true),
    show_upstream_status_in_response_header: bool(false),
    delete_uri_tail_slash: bool(false),
    normalize_uri_like_servlet: bool(false),
    match_uri_encoded_slash: bool(false),
    disable_upstream_healthcheck: bool(false),
    router: object({
      http: {
        type: 'string',
        enum: ['radixtree_host_uri', 'radixtree_uri', 'radixtree_uri_with_parameter'],
        default: 'radixtree_host_uri',
      },
      ssl: { type: 'string', enum: ['radixtree_sni'], default: 'radixtree_sni' },
    }),
    proxy_cache: {
      type: 'object',
      properties: {
        cache_ttl: DURATION,
        zones: { type: 'array', items: { type: 'object', required: ['name'] } },
      },
      additionalProperties: false,
    },
    ssl: object({
      enable: bool(true),
      listen: { type: 'array', items: LISTEN, default: [{ ip: '127.0.0.1', port: 9443 }] },
      ssl_protocols: { type: 'string', default: 'TLSv1.2 TLSv1.3' },
      ssl_ciphers: { type: 'string' },
      fallback_sni: { type: 'string' },
      ssl_trusted_certificate: { type: 'string' },
    }),
    trusted_addresses: TEXTS,
    data_encryption: object({
      enable_encrypt_fields: bool(true),
      keyring: {
        anyOf: [SEAL_KEY, { type: 'array', minItems: 1, items: SEAL_KEY }, { type: 'null' }],
      },
    }),
    tracing: bool(false),
    id: { type: 'string' },
  }),
  nginx_config: object({
    worker_processes: {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: 256 },
        { type: 'string', enum: ['auto'] },
      ],
      default: 1,
    },
    http: object({
      keepalive_timeout: { ...DURATION, default: '60s' },
      client_header_timeout: { ...DURATION, default: '60s' },
      client_body_timeout: { ...DURATION, default: '60s' },
      send_timeout: { ...DURATION, default: '10s' },
      enable_access_log: bool(true),
      ...ACCESS_LOG,
      real_ip_header: { type: 'string', default: 'X-Real-IP' },
      real_ip_recursive: { type: 'string', enum: ['on', 'off'], default: 'off' },
      real_ip_from: { ...TEXTS, default: ['127.0.0.1', 'unix:'] },
      upstream: object({
        keepalive: { type: 'integer', minimum: 1, default: 320 },
        keepalive_requests: { type: 'integer', minimum: 1, default: 1000 },
        keepalive_timeout: { ...DURATION, default: '60s' },
      }),
    }),
    stream: object({
      enable_access_log: bool(false),
      ...ACCESS_LOG,
      real_ip_from: { ...TEXTS, default: [] },
    }),
  }),
  plugins: TEXTS,
  plugin_attr: { type: 'object', additionalProperties: { type: 'object' }, default: {} },
  deployment: object({
    role: { type: 'string', enum: ['traditional', 'data_plane'], default: 'traditional' },
    etcd: {
      type: 'object',
      properties: {
        host: { type: 'array', items: { type: 'string' }, minItems: 1 },
        prefix: { type: 'string', pattern: '^/[^/]', default: '/apisix' },
        timeout: { type: 'integer', minimum: 1, default: 30 },
        watch_timeout: { type: 'integer', minimum: 1, default: 50 },
        startup_retry: { type: 'integer', minimum: 0, default: 2 },
        user: { type: 'string' },
        password: { type: 'string' },
        tls: {
          type: 'object',
          properties: {
            cert: { type: 'string' },
            key: { type: 'string' },
            verify: { type: 'boolean' },
            sni: { type: 'string' },
          },
          additionalProperties: false,
        },
      },
      required: ['host'],
      additionalProperties: false,
    },
    admin: object({
      admin_key: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            name: { type: 'string' },
            key: { type: 'string' },
            role: { type: 'string', enum: ['admin', 'viewer'], default: 'admin' },
          },
          required: ['key'],
          additionalProperties: false,
        },
      },
      admin_key_required: bool(true),
      admin_api_version: { type: 'string', enum: ['v2', 'default', 'v3'], default: 'v3' },
      enable_admin_cors: bool(true),
      allow_admin: { ...TEXTS, default: ['127.0.0.0/24'] },
      admin_listen: object({
        ip: { type: 'string', default: '127.0.0.1' },
        port: { ...PORT, default: 9180 },
      }),
    }),
  }),
});

/** Keys of APISIX that mean nothing here: named in a warning, not obeyed. */
export const WITHOUT_MEANING: readonly string[] = [
  ...[
    'enable_admin_ui admin_api_version enable_dev_mode enable_reuseport enable_ipv6',
    'max_post_args_readable_size stream_proxy.only',
    'dns_resolver dns_resolver_valid resolver_timeout enable_resolv_search_opt',
    'status lru enable_heartbeat extra_lua_path extra_lua_cpath lua_module_hook',
    'control.router ssl.ssl_session_tickets ssl.ssl_prefer_server_ciphers',
  ]
    .join(' ')
    .split(' ')
    .map((key) => `apisix.${key}`),
  ...[
    'worker_rlimit_nofile worker_shutdown_timeout error_log error_log_level event',
    'envs user max_pending_timers max_running_timers main_configuration_snippet stream.lua_shared_dict',
    'http_configuration_snippet http_server_configuration_snippet stream_configuration_snippet',
    'http_server_location_configuration_snippet http_admin_configuration_snippet',
    'http_end_configuration_snippet meta',
  ]
    .join(' ')
    .split(' ')
    .map((key) => `nginx_config.${key}`),
  ...[
    'access_log_buffer client_max_body_size underscores_in_headers',
    'proxy_ssl_server_name charset variables_hash_max_size lua_shared_dict custom_lua_shared_dict',
    'server_tokens',
  ]
    .join(' ')
    .split(' ')
    .map((key) => `nginx_config.http.${key}`),
  'graphql',
  'discovery',
  'stream_plugins',
  'ext-plugin',
  'wasm',
  'xrpc',
  'deployment.etcd.resync_delay',
  'deployment.etcd.health_check_timeout',
  'deployment.role_traditional',
  'deployment.role_data_plane',
  'deployment.role_control_plane',
  'deployment.certs',
  'deployment.admin.enable_admin_ui',
  'deployment.admin.https_admin',
  'deployment.admin.admin_api_mtls',
];
