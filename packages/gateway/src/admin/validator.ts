import { Ajv, type ValidateFunction } from 'ajv';
import type { PluginConf } from '../core/objects.ts';
import type { JsonSchema, Plugin } from '../plugins/plugin.ts';
import { SCHEMAS } from './schemas.ts';
import { type Violation, violationsOf } from './violations.ts';

/** Compiles each schema once, on first use. ajv is the validator that the rooms share by fastify. */
export interface Validator {
  /** Every violation, in the order of the schema; empty when there is none. */
  check(schema: JsonSchema, value: unknown): readonly Violation[];
  checkKind(kind: string, value: unknown): readonly Violation[];
  /** A deep copy with the defaults of `schema` filled in. */
  filled(schema: JsonSchema, value: PluginConf): PluginConf;
}

export function createValidator(): Validator {
  const options = { strict: false, allErrors: true, verbose: true, logger: false } as const;
  const plain = new Ajv(options);
  const filling = new Ajv({ ...options, useDefaults: true });
  const compiled = new WeakMap<JsonSchema, ValidateFunction>();
  const fillers = new WeakMap<JsonSchema, ValidateFunction>();

  function check(schema: JsonSchema, value: unknown): readonly Violation[] {
    const validate = compiled.get(schema) ?? plain.compile(schema);
    compiled.set(schema, validate);
    return validate(value) ? [] : violationsOf(validate.errors ?? []);
  }

  return {
    check,
    checkKind: (kind, value) => check(SCHEMAS[kind] ?? {}, value),
    filled(schema, value) {
      const fill = fillers.get(schema) ?? filling.compile(schema);
      fillers.set(schema, fill);
      const copy = structuredClone(value);
      fill(copy);
      return copy;
    },
  };
}

/** `_meta`, which every plugin's configuration may have. */
export const META: JsonSchema = {
  type: 'object',
  properties: {
    disable: { type: 'boolean' },
    error_response: { oneOf: [{ type: 'string' }, { type: 'object' }] },
    priority: { type: 'integer' },
    filter: { type: 'array' },
    pre_function: {
      not: {},
      description: 'Lua cannot be run here; write a plugin instead (docs/gateway.md)',
    },
  },
};

export interface PluginChecks {
  readonly validator: Validator;
  findPlugin(name: string): Plugin | undefined;
  /** `plugin_attr` of config.yaml. */
  readonly attributes: Readonly<Record<string, PluginConf>>;
}

/** What is wrong with a plugin's configuration; undefined when nothing is. */
export function pluginViolation(
  checks: PluginChecks,
  plugin: Plugin,
  schema: JsonSchema,
  conf: PluginConf,
): string | undefined {
  const { validator, findPlugin, attributes } = checks;
  const meta = conf['_meta'];
  if (meta !== undefined) {
    const [wrong] = validator.check(META, meta);
    if (wrong !== undefined) return `property "_meta" validation failed: ${wrong.message}`;
  }
  const [first] = validator.check(schema, withoutMeta(conf));
  if (first !== undefined) return first.message;
  const filled = validator.filled(schema, withoutMeta(conf));
  if (schema !== plugin.schema) return plugin.checkConsumer(filled);
  return plugin.check(filled, {
    find: findPlugin,
    attributes: attributes[plugin.name] ?? {},
    violation: (other, given) =>
      // The schema refuses what is no object.
      pluginViolation(checks, other, other.schema, given as PluginConf),
  });
}

function withoutMeta(conf: PluginConf): PluginConf {
  if (conf['_meta'] === undefined) return conf;
  return Object.fromEntries(Object.entries(conf).filter(([name]) => name !== '_meta'));
}
