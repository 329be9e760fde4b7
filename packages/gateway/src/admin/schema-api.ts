import { parse } from 'yaml';
import type { JsonSchema, Plugin } from '../plugins/plugin.ts';
import type { AdminAnswer, AdminRequest } from './admin-api.ts';
import { KINDS, singular } from './kinds.ts';
import { type CheckParts, pluginFault } from './object-check.ts';
import { isObject } from './patch.ts';
import { SCHEMAS } from './schemas.ts';
import { META } from './validator.ts';

interface SchemaParts extends CheckParts {
  readonly plugins: readonly Plugin[];
}

/** `plugins/…`, `schema/…` and `configs/…`: all that is no stored object. Undefined: none of them. */
export function schemaAnswer(
  request: AdminRequest,
  [first, second, ...rest]: readonly string[],
  parts: SchemaParts,
): AdminAnswer | undefined {
  const { method } = request;
  switch (first) {
    case 'plugins':
      return pluginsAnswer(request, second, parts);
    case 'schema':
      if (method === 'POST' && second === 'validate') return validation(request, rest[0], parts);
      if (method !== 'GET') return { status: 404, body: { error_msg: 'not found' } };
      return schemaOf(second, rest[0], request.query, parts);
    case 'configs':
      if (second === 'validate' && method === 'POST') return wholeValidation(request, parts);
      return undefined;
    default:
      return undefined;
  }
}

function pluginsAnswer(
  { method, query }: AdminRequest,
  name: string | undefined,
  { plugins }: SchemaParts,
): AdminAnswer {
  if (name === 'reload') {
    if (method === 'PUT') return { status: 200, body: 'done' };
    const why = `please use PUT method to reload the plugins, ${method} method is not allowed.`;
    return { status: 405, body: { error_msg: why } };
  }
  if (method !== 'GET') return { status: 404, body: { error_msg: 'not found' } };
  const subsystem = query.get('subsystem');
  if (subsystem !== null && subsystem !== 'http' && subsystem !== 'stream') {
    return { status: 400, body: { error_msg: `unsupported subsystem: ${subsystem}` } };
  }
  const served = plugins.filter(({ subsystems }) => subsystems.includes(subsystem ?? 'http'));
  const ordered = [...served].sort((a, b) => b.priority - a.priority);
  if (name === 'list') return { status: 200, body: JSON.stringify(ordered.map((one) => one.name)) };
  if (name === undefined) {
    return {
      status: 200,
      body: Object.fromEntries(ordered.map((one) => [one.name, described(one)])),
    };
  }
  const plugin = served.find((one) => one.name === name);
  if (plugin === undefined) {
    return {
      status: 404,
      body: { error_msg: `plugin not found in subsystem ${subsystem ?? 'http'}` },
    };
  }
  return { status: 200, body: schemaFor(plugin, query) };
}

/** A plugin as lists of plugins and the control API show it. */
export function described(plugin: Plugin): Readonly<Record<string, unknown>> {
  const { priority, isAuth, consumerSchema, metadataSchema } = plugin;
  return {
    priority,
    version: 0.1,
    schema: routeSchema(plugin),
    ...(isAuth ? { type: 'auth' } : {}),
    ...(consumerSchema === undefined ? {} : { consumer_schema: consumerSchema }),
    ...(metadataSchema === undefined ? {} : { metadata_schema: metadataSchema }),
  };
}

function schemaFor(plugin: Plugin, query: URLSearchParams): Readonly<Record<string, unknown>> {
  const type = query.get('schema_type');
  if (type === 'consumer') return plugin.consumerSchema ?? {};
  if (type === 'metadata') return plugin.metadataSchema ?? {};
  return routeSchema(plugin);
}

/** With what every plugin's configuration may have besides its own. */
function routeSchema({ schema }: Plugin): JsonSchema {
  const properties = schema['properties'];
  return { ...schema, properties: { ...(isObject(properties) ? properties : {}), _meta: META } };
}

function schemaOf(
  name: string | undefined,
  pluginName: string | undefined,
  query: URLSearchParams,
  parts: SchemaParts,
): AdminAnswer {
  if (name === 'plugins') {
    const plugin = parts.findPlugin(pluginName ?? '');
    if (plugin === undefined) return { status: 404, body: { error_msg: 'not found schema' } };
    return { status: 200, body: schemaFor(plugin, query) };
  }
  const kind = KINDS.find(({ path }) => singular(path) === name);
  const schema = kind === undefined ? undefined : SCHEMAS[kind.path];
  if (schema === undefined) return { status: 400, body: { error_msg: 'not found schema' } };
  return { status: 200, body: schema };
}

/** The schema alone: references are not followed. */
function validation(
  { body }: AdminRequest,
  kind: string | undefined,
  parts: SchemaParts,
): AdminAnswer {
  const known = kind !== undefined && SCHEMAS[kind] !== undefined;
  if (!known)
    return { status: 404, body: { error_msg: `Unsupported resource type: ${kind ?? ''}` } };
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'not JSON';
    return { status: 400, body: { error_msg: `invalid request body: ${why}` } };
  }
  const [first, ...others] = parts.validator.checkKind(kind, value);
  if (first !== undefined) {
    const errors = others.length > 0 ? { errors: [first, ...others] } : {};
    return { status: 400, body: { error_msg: first.message, ...errors } };
  }
  const wrong = pluginsWrong(value, kind === 'consumers' || kind === 'credentials', parts);
  return wrong === undefined ? { status: 200 } : { status: 400, body: { error_msg: wrong } };
}

function pluginsWrong(value: unknown, isConsumer: boolean, parts: SchemaParts): string | undefined {
  const plugins = isObject(value) ? value['plugins'] : undefined;
  if (!isObject(plugins)) return undefined;
  for (const [name, conf] of Object.entries(plugins)) {
    const wrong = pluginFault(parts, isConsumer, name, conf);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

interface ConfigError {
  readonly resource_type: string;
  readonly resource_id: string;
  readonly index: number;
  readonly error: string;
}

/** A whole configuration, as standalone mode has it, without storing it. */
function wholeValidation({ body }: AdminRequest, parts: SchemaParts): AdminAnswer {
  let value: unknown;
  try {
    value = isJson(body) ? JSON.parse(body) : parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'neither JSON nor YAML';
    return { status: 400, body: { error_msg: `invalid request body: ${why}` } };
  }
  if (!isObject(value)) return { status: 400, body: { error_msg: 'invalid request body' } };
  const errors = Object.entries(value).flatMap(([kind, items]) =>
    Array.isArray(items) && SCHEMAS[kind] !== undefined ? itemErrors(kind, items, parts) : [],
  );
  if (errors.length === 0) return { status: 200, body: {} };
  return { status: 400, body: { error_msg: 'Configuration validation failed', errors } };
}

/** What begins like JSON is taken for it, so that its mistakes are told in JSON's words. */
function isJson(body: string): boolean {
  return /^\s*[[{]/.test(body);
}

function itemErrors(kind: string, items: readonly unknown[], parts: SchemaParts): ConfigError[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const id = isObject(item) ? String(item['id'] ?? item['username'] ?? '') : '';
    const noun = singular(kind);
    const error = (text: string): ConfigError[] => [
      { resource_type: kind, resource_id: id, index, error: text },
    ];
    if (id !== '' && seen.has(id)) return error(`found duplicate id ${id} in ${kind}`);
    seen.add(id);
    const [first] = parts.validator.checkKind(kind, item);
    if (first !== undefined)
      return error(`invalid ${noun} at index ${index}, err: ${first.message}`);
    const wrong = pluginsWrong(item, kind === 'consumers', parts);
    return wrong === undefined ? [] : error(`invalid ${noun} at index ${index}, err: ${wrong}`);
  });
}
