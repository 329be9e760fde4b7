import { Ajv, type ValidateFunction } from 'ajv';
import { violationsOf } from '../admin/violations.ts';
import { compilePattern } from '../core/match/pattern.ts';

/** A JSON Schema that a user has written, for bodies, fields or claims. */
export type GivenSchema = Readonly<Record<string, unknown>>;

/** Types that APISIX's validator takes: JSON's, and Lua's own that no JSON has. */
const JSON_TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];
const LUA_TYPES = ['table', 'function', 'userdata'];
/** Schemas within schemas; deeper is taken for an attack on the stack. */
const DEPTH_MAX = 64;
const LISTS = ['enum', 'required', 'allOf', 'anyOf', 'oneOf'];

/** ajv, as everywhere in the gateway; patterns of the schema are RE2's like all that users write. */
export function compileGiven(schema: GivenSchema): ValidateFunction {
  return givenAjv(false).compile(plainSchema(schema));
}

/** `readsText`: texts stand for numbers and booleans, as they do in URIs and forms. */
export function givenAjv(readsText: boolean): Ajv {
  const regExp = Object.assign(
    (source: string) => {
      const pattern = compilePattern(source);
      if (pattern.kind === 'invalid') throw new Error(pattern.reason);
      return pattern;
    },
    { code: 'pattern' },
  );
  return new Ajv({
    strict: false,
    logger: false,
    verbose: true,
    useDefaults: true,
    coerceTypes: readsText,
    validateSchema: false,
    validateFormats: false,
    code: { regExp },
  });
}

/** Text says why a schema that a user gives cannot be used. */
export function givenFault(schema: GivenSchema): string | undefined {
  const fault = schemaFault(schema);
  if (fault !== undefined) return fault;
  try {
    compileGiven(schema);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The first thing that the last call has found wrong. */
export function reasonOf({ errors }: ValidateFunction): string {
  return violationsOf(errors ?? [])[0]?.message ?? 'the schema does not accept it';
}

/** What is wrong with a JSON Schema that a user gives, in the words of APISIX's validator. */
export function schemaFault(schema: unknown, depth = 0): string | undefined {
  if (depth > DEPTH_MAX) return `schema nested deeper than ${DEPTH_MAX}`;
  if (!isObject(schema)) return undefined;
  const unknown = [schema['type'] ?? []]
    .flat()
    .find((type) => ![...JSON_TYPES, ...LUA_TYPES].includes(String(type)));
  if (unknown !== undefined) return `invalid JSON type: ${String(unknown)}`;
  for (const name of LISTS) {
    const value = schema[name];
    if (value === undefined || typeof value === 'object') continue;
    if (name === 'required' && typeof value === 'boolean') continue;
    return `${name}: table expected, got ${typeof value}`;
  }
  for (const inner of innerSchemas(schema)) {
    const fault = schemaFault(inner, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function innerSchemas(schema: GivenSchema): readonly unknown[] {
  const maps = ['properties', 'patternProperties', 'definitions', 'dependencies'];
  const single = ['additionalProperties', 'items', 'not', 'if', 'then', 'else', 'contains'];
  return [
    ...maps.flatMap((name) => (isObject(schema[name]) ? Object.values(schema[name]) : [])),
    ...[...single, 'allOf', 'anyOf', 'oneOf'].flatMap((name) => schema[name] ?? []),
  ];
}

/** The schema as draft 7 has it: without `$schema`, with numbers for draft 4's exclusive bounds. */
export function plainSchema(schema: GivenSchema): GivenSchema {
  const plain = converted(schema);
  return isObject(plain) ? plain : {};
}

function converted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(converted);
  if (!isObject(value)) return value;
  const plain: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) plain[key] = converted(inner);
  for (const [bound, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    if (typeof plain[exclusive] !== 'boolean') continue;
    if (plain[exclusive] === true && typeof plain[bound] === 'number') {
      plain[exclusive] = plain[bound];
      delete plain[bound];
    } else delete plain[exclusive];
  }
  if (typeof plain['required'] === 'boolean') delete plain['required'];
  if (typeof plain['$schema'] === 'string') delete plain['$schema'];
  if (plain['type'] === 'table') plain['type'] = ['object', 'array'];
  // No value of JSON is a function.
  else if (LUA_TYPES.includes(String(plain['type']))) return { not: {} };
  return plain;
}

function isObject(value: unknown): value is GivenSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
