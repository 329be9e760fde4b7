import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { createValidator } from '../admin/validator.ts';
import type { PluginConf } from '../core/objects.ts';
import { CONFIG_SCHEMA, WITHOUT_MEANING } from './config-schema.ts';

/** A configuration that cannot be run: every mistake at once. */
export class GatewayConfigError extends Error {
  readonly code = 'usage';
  readonly fix = 'see docs/gateway.md for the keys that have a meaning here';
}

export interface Listen {
  readonly ip: string;
  readonly port: number;
}

/** A port for clients' requests. */
export interface ProxyListen extends Listen {
  /** Without TLS: HTTP/2 from the first octet is understood besides HTTP/1. */
  readonly isHttp2: boolean;
  /** Each connection begins with a header of the PROXY protocol. */
  readonly isBehindProxy: boolean;
}

/** A port for streams over TCP. */
export interface StreamListen extends Listen {
  readonly isTls: boolean;
  /** Each connection begins with a header of the PROXY protocol. */
  readonly isBehindProxy: boolean;
  /** Nodes are told of the client by such a header. */
  readonly announcesClient: boolean;
}

/** APISIX's config.yaml, as far as it has a meaning here. */
export interface GatewayConfig {
  readonly apisix: {
    readonly node_listen: readonly ProxyListen[];
    readonly proxy_mode: 'http' | 'stream' | 'http&stream';
    /** Empty unless `proxy_mode` has streams. */
    readonly stream_proxy: {
      readonly tcp: readonly StreamListen[];
      readonly udp: readonly Listen[];
    };
    /** HTTP/2 is offered over TLS. */
    readonly enable_http2: boolean;
    readonly enable_admin: boolean;
    readonly enable_control: boolean;
    readonly control: Listen;
    readonly enable_server_tokens: boolean;
    readonly show_upstream_status_in_response_header: boolean;
    readonly delete_uri_tail_slash: boolean;
    /** Matrix parameters (`;a=b`) are no part of what routes are matched by. */
    readonly normalize_uri_like_servlet: boolean;
    /** `%2F` stays as it is in what routes are matched by. */
    readonly match_uri_encoded_slash: boolean;
    readonly disable_upstream_healthcheck: boolean;
    readonly router: {
      readonly http: 'radixtree_host_uri' | 'radixtree_uri' | 'radixtree_uri_with_parameter';
    };
    readonly ssl: {
      readonly enable: boolean;
      readonly listen: readonly ProxyListen[];
      readonly ssl_protocols: string;
      readonly ssl_ciphers?: string;
      readonly fallback_sni?: string;
      /** Paths of PEM files and `system`; whom etcd's certificate is verified by. */
      readonly ssl_trusted_certificate?: string;
    };
    readonly proxy_cache?: PluginConf;
    readonly trusted_addresses?: readonly string[];
    readonly data_encryption: {
      readonly enable_encrypt_fields: boolean;
      /** Null: secrets are kept as they are given. */
      readonly keyring?: string | readonly string[] | null;
    };
    /** Times of each plugin's phases, for the spans of `opentelemetry`. */
    readonly tracing: boolean;
    readonly id?: string;
  };
  readonly nginx_config: {
    /** Processes that serve; `auto` is one for each processor. */
    readonly worker_processes: number | 'auto';
    readonly http: AccessLogConfig & {
      readonly keepalive_timeout: string | number;
      readonly client_header_timeout: string | number;
      readonly client_body_timeout: string | number;
      readonly send_timeout: string | number;
      readonly real_ip_header: string;
      readonly real_ip_recursive: 'on' | 'off';
      readonly real_ip_from: readonly string[];
      readonly upstream: {
        readonly keepalive: number;
        readonly keepalive_requests: number;
        readonly keepalive_timeout: string | number;
      };
    };
    /** The access log of streams, and whose PROXY headers are believed. */
    readonly stream: AccessLogConfig & { readonly real_ip_from: readonly string[] };
  };
  /** Undefined: every plugin there is. */
  readonly plugins?: readonly string[];
  readonly plugin_attr: Readonly<Record<string, PluginConf>>;
  readonly deployment: {
    readonly role: 'traditional' | 'data_plane';
    /** Present: objects are kept in etcd, not in a journal. */
    readonly etcd?: EtcdConfig;
    readonly admin: {
      readonly admin_key?: readonly AdminKey[];
      readonly admin_key_required: boolean;
      /** `default` is v2, for those who wrote it before 3.0. */
      readonly admin_api_version: 'v2' | 'default' | 'v3';
      readonly enable_admin_cors: boolean;
      readonly allow_admin: readonly string[];
      readonly admin_listen: Listen;
    };
  };
}

export interface AccessLogConfig {
  readonly enable_access_log: boolean;
  /** A path; without one there is no access log. */
  readonly access_log?: string;
  readonly access_log_format?: string;
  readonly access_log_format_escape: 'default' | 'json' | 'none';
}

/** Times in seconds, paths of PEM files. */
export interface EtcdConfig {
  readonly host: readonly string[];
  readonly prefix: string;
  readonly timeout: number;
  readonly watch_timeout: number;
  readonly startup_retry: number;
  readonly user?: string;
  readonly password?: string;
  readonly tls?: {
    readonly cert?: string;
    readonly key?: string;
    readonly verify?: boolean;
    readonly sni?: string;
  };
}

export interface AdminKey {
  readonly name?: string;
  readonly key: string;
  readonly role: 'admin' | 'viewer';
}

export interface ReadConfig {
  readonly config: GatewayConfig;
  /** Keys that mean nothing here. */
  readonly ignored: readonly string[];
}

const LOOPBACK = '127.0.0.1';

/** Reads the file (YAML or JSON); without one the defaults. Throws `GatewayConfigError`. */
export function readGatewayConfig(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): ReadConfig {
  return parseGatewayConfig(path === undefined ? '' : readFileSync(path, 'utf8'), environment);
}

export function parseGatewayConfig(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): ReadConfig {
  const filled = withEnvironment(text, environment);
  let given: unknown;
  try {
    given = parse(filled) ?? {};
  } catch (cause) {
    throw new GatewayConfigError('the configuration is not YAML', { cause });
  }
  const ignored: string[] = [];
  const known = withoutMeaningless(given, '', ignored);
  const validator = createValidator();
  const violations = validator.check(CONFIG_SCHEMA, known);
  if (violations.length > 0) {
    const lines = violations.map(({ message }) => `  ${message}`);
    throw new GatewayConfigError(['the configuration cannot be used:', ...lines].join('\n'));
  }
  // Checked edge: the schema has accepted it, so it has this shape once the defaults are in.
  const config = validator.filled(
    CONFIG_SCHEMA,
    known as PluginConf,
  ) as unknown as GatewayConfig & {
    readonly apisix: {
      readonly node_listen: number | readonly (number | GivenListen)[];
      readonly stream_proxy: {
        readonly tcp: readonly (GivenStream | GivenStreamListen)[];
        readonly udp: readonly GivenStream[];
      };
      readonly proxy_protocol?: {
        readonly listen_http_port?: number;
        readonly listen_https_port?: number;
        readonly enable_tcp_pp: boolean;
        readonly enable_tcp_pp_to_upstream: boolean;
      };
    };
  };
  const { node_listen, proxy_protocol: behind } = config.apisix;
  const listens = (Array.isArray(node_listen) ? node_listen : [node_listen]).map((one) =>
    listenOf(one, 9080),
  );
  const isHttp2 = config.apisix.enable_http2;
  const secure = config.apisix.ssl.listen.map((one) => ({ ...listenOf(one, 9443), isHttp2 }));
  const [plainPort, securePort] = [behind?.listen_http_port, behind?.listen_https_port];
  if (plainPort !== undefined) listens.push(behindProxy(plainPort, false));
  if (securePort !== undefined) secure.push(behindProxy(securePort, isHttp2));
  const { proxy_mode, stream_proxy } = config.apisix;
  const hasHttp = proxy_mode !== 'stream';
  const hasStreams = proxy_mode !== 'http';
  const ssl = { ...config.apisix.ssl, listen: hasHttp ? secure : [] };
  const tcp: readonly (GivenStream | GivenStreamListen)[] = stream_proxy.tcp;
  const streams = {
    tcp: hasStreams ? tcp.map((one) => tcpListenOf(one, behind)) : [],
    udp: hasStreams ? stream_proxy.udp.map(addressOf) : [],
  };
  const apisix = {
    ...config.apisix,
    node_listen: hasHttp ? listens : [],
    stream_proxy: streams,
    ssl,
  };
  return { config: { ...config, apisix }, ignored };
}

interface GivenListen extends Partial<Listen> {
  readonly enable_http2?: boolean;
}

/** Loopback unless an address says otherwise. */
function listenOf(given: number | GivenListen, port: number): ProxyListen {
  const {
    ip = LOOPBACK,
    port: own = port,
    enable_http2: isHttp2 = false,
  } = typeof given === 'number' ? { port: given } : given;
  return { ip, port: own, isHttp2, isBehindProxy: false };
}

/** A port, or an address and a port with a colon between. */
type GivenStream = number | string;

interface GivenStreamListen {
  readonly addr: GivenStream;
  readonly tls: boolean;
  /** Either stands over what is said for all ports. */
  readonly proxy_protocol?: boolean;
  readonly proxy_protocol_to_upstream?: boolean;
}

function tcpListenOf(
  given: GivenStream | GivenStreamListen,
  all: { readonly enable_tcp_pp: boolean; readonly enable_tcp_pp_to_upstream: boolean } | undefined,
): StreamListen {
  const own = typeof given === 'object' ? given : { addr: given, tls: false };
  return {
    ...addressOf(own.addr),
    isTls: own.tls,
    isBehindProxy: own.proxy_protocol ?? all?.enable_tcp_pp ?? false,
    announcesClient: own.proxy_protocol_to_upstream ?? all?.enable_tcp_pp_to_upstream ?? false,
  };
}

function addressOf(given: GivenStream): Listen {
  const text = String(given);
  const at = text.lastIndexOf(':');
  const ip = at < 0 ? LOOPBACK : text.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  return { ip, port: Number(text.slice(at + 1)) };
}

function behindProxy(port: number, isHttp2: boolean): ProxyListen {
  return { ip: LOOPBACK, port, isHttp2, isBehindProxy: true };
}

/** A copy without the keys of `WITHOUT_MEANING`, which are named in `ignored`. */
function withoutMeaningless(value: unknown, path: string, ignored: string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (WITHOUT_MEANING.includes(at)) ignored.push(at);
    else if (at === 'apisix.data_encryption' && isEmpty(inner)) kept[key] = { keyring: null };
    // A key without a value is as good as absent, but for a keyring: APISIX then encrypts nothing.
    else if (inner !== null || at === 'apisix.data_encryption.keyring') {
      kept[key] = withoutMeaningless(inner, at, ignored);
    }
  }
  return kept;
}

/** Mapping without keys: in APISIX it stands in place of the defaults, where others add to them. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** `${{NAME}}` and `${{NAME:=default}}`; a name without value is an error. */
export function withEnvironment(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  return text.replace(
    /\$\{\{\s*(\w+)\s*(?::=([^}]*))?\}\}/g,
    (_, name: string, fallback?: string) => {
      const value = environment[name] ?? fallback?.trim();
      if (value === undefined)
        throw new GatewayConfigError(`environment variable ${name} is not set`);
      return value;
    },
  );
}

/** `60s`, `500ms`, `1m`, or a number of seconds, in milliseconds. */
export function durationMs(given: string | number): number {
  if (typeof given === 'number') return given * 1_000;
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(given.trim());
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[found?.[2] ?? 's'] ?? 1_000;
  return found === null ? 60_000 : Number(found[1]) * unit;
}
