import type { ErrorObject } from 'ajv';

/** One thing wrong with an object: where (a JSON pointer) and what, in APISIX's wording. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

/** Keywords whose own error stands for what their branches complained about. */
const COMPOSITE: ReadonlySet<string> = new Set(['oneOf', 'anyOf', 'if', 'not', 'propertyNames']);

/**
 * What ajv found, each with its path in words: `property "a" validation failed: …`. Errors within
 * branches of `oneOf` and `anyOf` are dropped: the branch's user chose none of them.
 */
export function violationsOf(errors: readonly ErrorObject[]): readonly Violation[] {
  const composites = errors.filter(({ keyword }) => COMPOSITE.has(keyword));
  const own = errors.filter(
    (error) =>
      !composites.some(
        (outer) => outer !== error && error.schemaPath.startsWith(`${outer.schemaPath}/`),
      ) && error.keyword !== 'if',
  );
  return own.map((error) => ({
    path: error.instancePath,
    message: `${prefixOf(error.instancePath, error)}${reasonOf(error)}`,
  }));
}

/** The way to the place, from the outside in. */
function prefixOf(pointer: string, error: ErrorObject): string {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const words = keys.map((key) =>
    /^\d+$/.test(key)
      ? `failed to validate item ${Number(key) + 1}: `
      : `property "${key}" validation failed: `,
  );
  const dependent = /dependencies\/([^/]+)\//.exec(error.schemaPath)?.[1];
  if (dependent !== undefined) {
    words.push(`failed to validate dependent schema for "${dependent}": `);
  }
  const isPattern = /patternProperties\/([^/]*)\//.exec(error.schemaPath)?.[1];
  if (isPattern !== undefined && keys.length > 0) {
    const pattern = decodeURIComponent(isPattern).replaceAll('~1', '/').replaceAll('~0', '~');
    const last = keys.at(-1) ?? '';
    words[words.length - 1] = `failed to validate ${last} (matching "${pattern}"): `;
  }
  return words.join('');
}

function reasonOf({ keyword, params, data, schema, message, parentSchema }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return `property "${params['missingProperty']}" is required`;
    case 'type':
      return `wrong type: expected ${typeNames(params['type'])}, got ${typeName(data)}`;
    case 'enum':
      return 'matches none of the enum values';
    case 'const':
      return `does not match the const value ${String(schema)}`;
    case 'minimum':
      return `expected ${String(data)} to be at least ${params['limit']}`;
    case 'maximum':
      return `expected ${String(data)} to be at most ${params['limit']}`;
    case 'exclusiveMinimum':
      return `expected ${String(data)} to be greater than ${params['limit']}`;
    case 'exclusiveMaximum':
      return `expected ${String(data)} to be smaller than ${params['limit']}`;
    case 'minLength':
      return `string too short, expected at least ${params['limit']}, got ${lengthOf(data)}`;
    case 'maxLength':
      return `string too long, expected at most ${params['limit']}, got ${lengthOf(data)}`;
    case 'pattern':
      return `failed to match pattern "${params['pattern']}" with "${String(data)}"`;
    case 'minItems':
      return `expect array to have at least ${params['limit']} items`;
    case 'maxItems':
      return `expect array to have at most ${params['limit']} items`;
    case 'uniqueItems':
      return repetition(Number(params['i']), Number(params['j']));
    case 'minProperties':
      return `expect object to have at least ${params['limit']} properties`;
    case 'maxProperties':
      return `expect object to have at most ${params['limit']} properties`;
    case 'additionalProperties':
      return `additional properties forbidden, found ${params['additionalProperty']}`;
    case 'oneOf': {
      const passing: unknown = params['passingSchemas'];
      if (!Array.isArray(passing)) return 'value should match only one schema, but matches none';
      const both = passing.map((index) => Number(index) + 1).join(' and ');
      return `value should match only one schema, but matches both schemas ${both}`;
    }
    case 'anyOf':
      return anyOfReason(parentSchema);
    case 'not':
      return "value wasn't supposed to match schema";
    default:
      return message ?? keyword;
  }
}

function anyOfReason(parentSchema: ErrorObject['parentSchema']): string {
  const branches: unknown = parentSchema?.['anyOf'];
  const names = Array.isArray(branches)
    ? branches.map((branch: { readonly required?: readonly string[] }) => branch.required)
    : [];
  if (names.length === 0 || names.some((name) => name === undefined)) {
    return 'object matches none of the required';
  }
  const lists = names.map((name) => `[${name?.map((one) => `"${one}"`).join(', ')}]`);
  return `object matches none of the required: ${lists.join(' or ')}`;
}

function typeNames(type: unknown): string {
  return Array.isArray(type) ? `one of ${type.map((one) => `"${one}"`).join(', ')}` : String(type);
}

/** A table is what APISIX's validator calls an object or a list. */
function typeName(data: unknown): string {
  if (data === null) return 'null';
  return Array.isArray(data) || typeof data === 'object' ? 'table' : typeof data;
}

function lengthOf(data: unknown): number {
  return typeof data === 'string' ? [...data].length : 0;
}

/** Indexes from 0 in either order, shown from 1 and the earlier one first. */
function repetition(one: number, other: number): string {
  const [first, second] = [Math.min(one, other) + 1, Math.max(one, other) + 1];
  return `expected unique items but items ${first} and ${second} are equal`;
}
