import { createPrivateKey, X509Certificate } from 'node:crypto';
import { compileExpression } from '../core/match/expression.ts';
import { parseIpRanges } from '../core/match/ip-range.ts';
import { patternFault } from '../core/match/pattern.ts';
import { hostAndPort, PORT_MAX } from '../core/node-source.ts';
import type { PluginConf, SslObject, UpstreamObject } from '../core/objects.ts';
import { isVariableName } from '../core/post-arguments.ts';
import { readProto } from '../plugins/grpc-transcode/proto-source.ts';
import type { Store } from '../store/store.ts';
import { SECRET_SCHEMAS } from './secret-schemas.ts';
import { type PluginChecks, pluginViolation } from './validator.ts';
import type { Violation } from './violations.ts';

const SECRET_MANAGERS = Object.keys(SECRET_SCHEMAS).join(', ');

export type ObjectValue = Readonly<Record<string, unknown>>;

export interface CheckParts extends PluginChecks {
  readonly store: Store;
}

/** What is wrong with an object; `all` holds every violation that the schema shows. */
export interface Fault {
  readonly message: string;
  readonly all: readonly Violation[];
  readonly status?: number;
}

/** Checks an object of `kind` as it would be stored under `id`. Undefined: it may be stored. */
export function objectFault(
  parts: CheckParts,
  kind: string,
  id: string,
  value: ObjectValue,
): Fault | undefined {
  if (kind === 'plugin_metadata') return metadataFault(parts, id, value);
  for (const name of ['create_time', 'update_time']) {
    if (value[name] !== undefined) return fault(`the property is forbidden:  ${name}`);
  }
  for (const [one, many] of [
    ['host', 'hosts'],
    ['remote_addr', 'remote_addrs'],
  ] as const) {
    if (kind === 'routes' && value[one] !== undefined && value[many] !== undefined) {
      return fault(`only one of ${one} or ${many} is allowed`);
    }
  }
  const [manager = ''] = kind === 'secrets' ? id.split('/') : [];
  const schema = SECRET_SCHEMAS[manager];
  if (kind === 'secrets' && schema === undefined) {
    return fault(`invalid secret manager: ${manager}; there are: ${SECRET_MANAGERS}`);
  }
  const violations =
    schema === undefined
      ? parts.validator.checkKind(kind, value)
      : parts.validator.check(schema, value);
  const [first] = violations;
  if (first !== undefined) {
    return { message: `invalid configuration: ${first.message}`, all: violations };
  }
  return (
    languageFault(value) ??
    routeFault(kind, value) ??
    upstreamFault(parts, kind === 'upstreams' ? value : value['upstream']) ??
    referenceFault(parts, value) ??
    pluginsFault(parts, kind, id, value) ??
    (kind === 'ssls' ? certificateFault(value) : undefined) ??
    (kind === 'protos' ? protoFault(value) : undefined)
  );
}

function fault(message: string): Fault {
  return { message, all: [] };
}

/** Fields that hold Lua: refused with what stands for them. */
function languageFault(value: ObjectValue): Fault | undefined {
  if (typeof value['filter_func'] === 'string') {
    return fault(
      "failed to load 'filter_func' string: Lua cannot be run here; say it with vars instead",
    );
  }
  if (value['script'] !== undefined || value['script_id'] !== undefined) {
    return fault('failed to load script: Lua cannot be run here; write a plugin instead');
  }
  return undefined;
}

function routeFault(kind: string, value: ObjectValue): Fault | undefined {
  if (value['vars'] !== undefined && kind === 'routes') {
    const compiled = compileExpression(value['vars'], isVariableName);
    if (compiled.kind === 'invalid') {
      return fault(`failed to validate the 'vars' expression: ${compiled.reason}`);
    }
  }
  const addresses = [value['remote_addr'], value['remote_addrs']]
    .flat()
    .filter((one) => one !== undefined);
  if (addresses.length > 0 && parseIpRanges(addresses.map(String)) === undefined) {
    return fault(`invalid ip address: ${addresses.join(', ')}`);
  }
  return undefined;
}

function upstreamFault(parts: CheckParts, given: unknown): Fault | undefined {
  if (given === undefined) return undefined;
  // Checked edge: the schema has accepted it.
  const upstream = given as UpstreamObject;
  if (upstream.pass_host === 'rewrite' && !upstream.upstream_host) {
    return fault("`upstream_host` can't be empty when `pass_host` is `rewrite`");
  }
  const v6 = hostsOf(upstream).find((host) => host.split(':').length > 2 && !host.startsWith('['));
  if (v6 !== undefined) {
    return fault("invalid configuration: IPv6 address must be enclosed with '[' and ']'");
  }
  const beyond = unreachable(upstream);
  if (beyond !== undefined) {
    const rule = `the port of "${beyond}" is above ${PORT_MAX}`;
    return fault(`invalid configuration: property "nodes" validation failed: ${rule}`);
  }
  const { client_cert: cert, client_key: key } = upstream.tls ?? {};
  if (cert !== undefined && key !== undefined) {
    const wrong = pairFault(cert, key);
    if (wrong !== undefined) return fault(wrong);
  }
  const certificateId = upstream.tls?.client_cert_id;
  if (certificateId !== undefined) {
    const ssl = parts.store.get(`/ssls/${certificateId}`)?.value;
    if (ssl === undefined) return unknownReference('ssl', certificateId);
    if (ssl['type'] !== 'client') {
      return fault(`failed to fetch ssl info by ssl id [${certificateId}], wrong ssl type`);
    }
  }
  if (upstream.type !== 'chash') return undefined;
  const on = upstream.hash_on ?? 'vars';
  if (on !== 'consumer' && (upstream.key === undefined || upstream.key === ''))
    return fault('missing key');
  const pattern = KEY_PATTERNS[on];
  if (pattern === undefined || pattern.test(upstream.key ?? '')) return undefined;
  return fault(
    `invalid configuration: failed to match pattern "${pattern.source}" with "${upstream.key}"`,
  );
}

/** Variables that `chash` may go by besides `arg_…`. */
const HASHED_VARIABLES = [
  'uri|server_name|server_addr|request_uri|remote_port|remote_addr',
  'query_string|host|hostname|mqtt_client_id',
].join('|');

const KEY_PATTERNS: Readonly<Record<string, RegExp>> = {
  vars: new RegExp(`^((${HASHED_VARIABLES})|arg_[0-9a-zA-Z_-]+)$`),
  header: /^[a-zA-Z0-9-_]+$/,
  cookie: /^[a-zA-Z0-9-_]+$/,
};

function hostsOf({ nodes }: UpstreamObject): readonly string[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.map(({ host }: { readonly host: string }) => host);
}

/** The schema sees to the ports of a list. */
function unreachable({ nodes = {} }: UpstreamObject): string | undefined {
  const keys = Array.isArray(nodes) ? [] : Object.keys(nodes);
  return keys.find((key) => (hostAndPort(key).port ?? 0) > PORT_MAX);
}

const REFERENCES = [
  ['upstream_id', 'upstreams', 'upstream'],
  ['service_id', 'services', 'service'],
  ['plugin_config_id', 'plugin_configs', 'plugin config'],
  ['group_id', 'consumer_groups', 'consumer group'],
] as const;

function referenceFault({ store }: CheckParts, value: ObjectValue): Fault | undefined {
  for (const [field, kind, noun] of REFERENCES) {
    const id = value[field];
    if (typeof id !== 'string' && typeof id !== 'number') continue;
    if (store.get(`/${kind}/${id}`) === undefined) return unknownReference(noun, id);
  }
  return undefined;
}

function unknownReference(noun: string, id: string | number): Fault {
  return fault(`failed to fetch ${noun} info by ${noun} id [${id}], response code: 404`);
}

function pluginsFault(
  parts: CheckParts,
  kind: string,
  id: string,
  value: ObjectValue,
): Fault | undefined {
  const plugins = value['plugins'];
  if (typeof plugins !== 'object' || plugins === null) return undefined;
  const isConsumer = kind === 'consumers' || kind === 'credentials';
  const subsystem = kind === 'stream_routes' ? 'stream' : 'http';
  const prefix = isConsumer ? 'invalid plugins configuration: ' : '';
  for (const [name, conf] of Object.entries(plugins as ObjectValue)) {
    const plugin = parts.findPlugin(name);
    if (plugin?.subsystems.includes(subsystem) === false) {
      return fault(`${prefix}unknown plugin [${name}]`);
    }
    const wrong = pluginFault(parts, isConsumer, name, conf);
    if (wrong !== undefined) return fault(prefix + wrong);
    if (kind === 'credentials' && plugin?.isAuth !== true) {
      return fault('only supports auth type plugins in consumer credential');
    }
    const taken = kind === 'global_rules' ? ruleWith(parts.store, name, id) : undefined;
    if (taken !== undefined) {
      return fault(`plugin '${name}' already exists in global rule with id '${taken}'`);
    }
    const duplicate = isConsumer
      ? duplicateOf(parts, kind, id, name, conf as PluginConf)
      : undefined;
    if (duplicate !== undefined) return fault(duplicate);
  }
  return undefined;
}

/** Text says what is wrong with one plugin's configuration. */
export function pluginFault(
  checks: PluginChecks,
  isConsumer: boolean,
  name: string,
  conf: unknown,
): string | undefined {
  const plugin = checks.findPlugin(name);
  if (plugin === undefined) return `unknown plugin [${name}]${replacementFor(name)}`;
  if (typeof conf !== 'object' || conf === null || Array.isArray(conf)) {
    return `invalid plugin conf ${JSON.stringify(conf)} for plugin [${name}]`;
  }
  const schema = isConsumer && plugin.isAuth ? (plugin.consumerSchema ?? {}) : plugin.schema;
  const wrong = pluginViolation(checks, plugin, schema, conf as PluginConf);
  if (wrong === undefined) return undefined;
  return `failed to check the configuration of plugin ${name} err: ${wrong}`;
}

/** Plugins whose configuration is Lua, and what stands for them. */
const LUA_PLUGINS = ['serverless-pre-function', 'serverless-post-function', 'exit-transformer'];

function replacementFor(name: string): string {
  if (!LUA_PLUGINS.includes(name)) return '';
  return (
    ': Lua cannot be run here; see docs/migrating-from-apisix.md for the plugins and conditions ' +
    'that stand for it'
  );
}

function ruleWith(store: Store, plugin: string, id: string): string | undefined {
  const other = store
    .list('/global_rules/')
    .find(({ key, value }) => key !== `/global_rules/${id}` && hasPlugin(value, plugin));
  return other?.key.slice('/global_rules/'.length);
}

function hasPlugin(value: ObjectValue, plugin: string): boolean {
  const plugins = value['plugins'];
  return typeof plugins === 'object' && plugins !== null && Object.hasOwn(plugins, plugin);
}

/** What a caller authenticates with belongs to one consumer or credential only. */
function duplicateOf(
  { store, findPlugin }: CheckParts,
  kind: string,
  id: string,
  name: string,
  conf: PluginConf,
): string | undefined {
  const required = findPlugin(name)?.consumerSchema?.['required'];
  const field: unknown = Array.isArray(required) ? required[0] : undefined;
  if (findPlugin(name)?.isAuth !== true || typeof field !== 'string') return undefined;
  const ownKey = kind === 'consumers' ? `/consumers/${id}` : id;
  for (const { key, value } of store.list('/consumers/')) {
    const other = (value['plugins'] as Readonly<Record<string, ObjectValue>> | undefined)?.[name];
    if (key === ownKey || other?.[field] === undefined || other[field] !== conf[field]) continue;
    const [, , username, , credential] = key.split('/');
    const owner =
      credential === undefined
        ? `consumer: ${username}`
        : `credential: ${credential} of consumer: ${username}`;
    return `duplicate ${field} of plugin ${name} found with ${owner}`;
  }
  return undefined;
}

function protoFault({ content }: ObjectValue): Fault | undefined {
  const proto = readProto(String(content));
  return typeof proto === 'string' ? fault(`failed to read the proto: ${proto}`) : undefined;
}

function metadataFault(parts: CheckParts, name: string, value: ObjectValue): Fault | undefined {
  const plugin = parts.findPlugin(name);
  if (plugin === undefined) return fault(`invalid plugin name`);
  const schema = plugin.metadataSchema ?? { type: 'object' };
  const conf = Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'id'));
  const all = parts.validator.check(schema, conf);
  const wrong = all[0]?.message ?? plugin.checkMetadata(parts.validator.filled(schema, conf));
  return wrong === undefined ? undefined : { message: `invalid configuration: ${wrong}`, all };
}

function certificateFault(value: ObjectValue): Fault | undefined {
  const wrongClient = clientFault(value['client'] as SslObject['client']);
  if (wrongClient !== undefined) return fault(wrongClient);
  const [certs, keys] = [listOf(value['certs']), listOf(value['keys'])];
  if (certs.length !== keys.length) return fault('mismatched number of certs and keys');
  const pairs = [[value['cert'], value['key']], ...certs.map((cert, i) => [cert, keys[i]])];
  for (const [cert, key] of pairs) {
    const wrong = pairFault(String(cert), String(key));
    if (wrong !== undefined) return fault(wrong);
  }
  return undefined;
}

/** The CA and the open paths of `client`. */
function clientFault(client: SslObject['client']): string | undefined {
  if (client === undefined) return undefined;
  const wrong = patternFault(client.skip_mtls_uri_regex ?? []);
  if (wrong !== undefined) return `client.skip_mtls_uri_regex: ${wrong}`;
  try {
    return new X509Certificate(client.ca).ca ? undefined : 'client.ca: not the certificate of a CA';
  } catch (error) {
    return `failed to parse client.ca: ${error instanceof Error ? error.message : ''}`;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function pairFault(cert: string, key: string): string | undefined {
  if (cert.startsWith('$')) return undefined;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch (error) {
    return `failed to parse cert: ${error instanceof Error ? error.message : ''}`;
  }
  // Anything but PEM is a key as it was shown: one that none of the keyring has opened.
  if (!key.startsWith('---')) return 'failed to decrypt previous encrypted key';
  try {
    const privateKey = createPrivateKey(key);
    return certificate.checkPrivateKey(privateKey) ? undefined : 'failed to match cert and key';
  } catch (error) {
    return `failed to parse key: ${error instanceof Error ? error.message : ''}`;
  }
}
