import type { ValidateFunction } from 'ajv';
import { asError } from '../../core/as-error.ts';
import { compilePattern, type Pattern } from '../../core/match/pattern.ts';
import { givenAjv, plainSchema } from '../given-schema.ts';

type Json = Readonly<Record<string, unknown>>;

/** One parameter of an operation. */
export interface Parameter {
  readonly name: string;
  readonly place: 'path' | 'query' | 'header';
  readonly isRequired: boolean;
  readonly style: string | undefined;
  readonly explodes: boolean | undefined;
  /** In JSON, not in a style of its own. */
  readonly isJson: boolean;
  readonly type: 'array' | 'object' | 'scalar';
  /** Names of an object's members. */
  readonly members: readonly string[];
  /** Of `{ value }`; texts stand for what they spell. */
  readonly accepts: ValidateFunction;
}

/** What a body of one media type must be; `accepts` is undefined where anything goes. */
export interface BodyRule {
  readonly mediaType: string;
  readonly accepts: ValidateFunction | undefined;
}

export interface Operation {
  readonly parameters: readonly Parameter[];
  readonly isBodyRequired: boolean;
  readonly bodies: readonly BodyRule[];
}

export interface Found {
  readonly operation: Operation;
  /** Parameters of the path by name, as they stand in it. */
  readonly values: ReadonlyMap<string, string>;
}

export interface ApiDocument {
  /** Undefined when the document has no such path; `no method` when it has the path alone. */
  find(method: string, path: string): Found | 'no method' | undefined;
}

interface PathEntry {
  readonly pattern: Pattern;
  readonly names: readonly string[];
  readonly operations: ReadonlyMap<string, () => Operation>;
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
/** References that lead to references. */
const HOPS_MAX = 32;

/** Reads an OpenAPI 3 document in JSON. An error says what is wrong with it. */
export function readDocument(text: string): ApiDocument | Error {
  try {
    return openDocument(JSON.parse(text));
  } catch (error) {
    return asError(error);
  }
}

function openDocument(given: unknown): ApiDocument {
  if (!isObject(given) || !/^3\./.test(String(given['openapi']))) {
    throw new Error('no OpenAPI 3 document: "openapi" must be 3.x');
  }
  if (!isObject(given['paths'])) throw new Error('"paths" is missing');
  const schemas = createSchemas(given);
  const entries = Object.keys(given['paths']).map((path) => pathEntry(given, path, schemas));
  // What is written out goes before what is a template (OpenAPI 3, "Path Templating Matching").
  const ranked = entries.toSorted((a, b) => a.names.length - b.names.length);
  const bases = ['', ...basePaths(given['servers'])];
  return {
    find(method, path) {
      let hasPath = false;
      for (const base of bases) {
        if (!path.startsWith(base)) continue;
        for (const { pattern, names, operations } of ranked) {
          const groups = pattern.find(path.slice(base.length))?.groups;
          if (groups === undefined) continue;
          hasPath = true;
          const operation = operations.get(method.toLowerCase())?.();
          if (operation === undefined) continue;
          const values = new Map(names.map((name, i) => [name, groups[i + 1] ?? '']));
          return { operation, values };
        }
      }
      return hasPath ? 'no method' : undefined;
    },
  };
}

/** Paths of the servers' addresses: requests may come with them. */
function basePaths(servers: unknown): readonly string[] {
  if (!Array.isArray(servers)) return [];
  return servers.flatMap((server: unknown) => {
    const url = isObject(server) ? String(server['url']) : '';
    if (!URL.canParse(url, 'http://x')) return [];
    const path = new URL(url, 'http://x').pathname.replace(/\/$/, '');
    return path === '' ? [] : [path];
  });
}

function pathEntry(document: Json, path: string, schemas: Schemas): PathEntry {
  const names: string[] = [];
  const source = path
    .split(/(\{[^{}]+\})/)
    .map((part) => {
      const name = /^\{([^{}]+)\}$/.exec(part)?.[1];
      if (name === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      names.push(name);
      return '([^/]+)';
    })
    .join('');
  const pattern = compilePattern(`^${source}$`);
  if (pattern.kind === 'invalid') throw new Error(`path ${path}: ${pattern.reason}`);
  const item = resolved(document, ['paths', path]);
  const operations = METHODS.flatMap((method) => {
    if (!isObject(item.value[method])) return [];
    const operation = readOperation(document, [...item.at, method], item.at, schemas);
    return [[method, () => operation] as const];
  });
  return { pattern, names, operations: new Map(operations) };
}

type Place = readonly string[];

/** Compiles the schema at a place of the document. */
interface Schemas {
  body(at: Place, readsText: boolean): ValidateFunction;
  value(at: Place): ValidateFunction;
}

function createSchemas(document: Json): Schemas {
  const plain = withoutReadOnly(plainSchema(document)) as Json;
  const [exact, reading] = [false, true].map((readsText) => {
    const ajv = givenAjv(readsText);
    ajv.addSchema(plain, 'openapi');
    return ajv;
  });
  const reference = (at: Place) => ({
    $ref: `openapi#/${at.map((one) => encodeURIComponent(one.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`,
  });
  const compile = (schema: object, readsText: boolean): ValidateFunction => {
    const compiled = (readsText ? reading : exact)?.compile(schema);
    if (compiled === undefined) throw new Error('BUG: no validator');
    return compiled;
  };
  return {
    body: (at, readsText) => compile(reference(at), readsText),
    value: (at) => compile({ type: 'object', properties: { value: reference(at) } }, true),
  };
}

/** What is for answers only, no request must have. */
function withoutReadOnly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutReadOnly);
  if (!isObject(value)) return value;
  const { required, properties } = value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withoutReadOnly(inner)]),
  );
  if (!Array.isArray(required) || !isObject(properties)) return copy;
  const isReadOnly = (name: unknown): boolean => {
    const member = properties[String(name)];
    return isObject(member) && member['readOnly'] === true;
  };
  return { ...copy, required: required.filter((name) => !isReadOnly(name)) };
}

function readOperation(document: Json, at: Place, itemAt: Place, schemas: Schemas): Operation {
  const own = resolved(document, at).value;
  const parameters = new Map<string, Parameter>();
  for (const place of [itemAt, at]) {
    const list = resolved(document, place).value['parameters'];
    if (!Array.isArray(list)) continue;
    for (const i of list.keys()) {
      const parameter = readParameter(document, [...place, 'parameters', String(i)], schemas);
      if (parameter !== undefined)
        parameters.set(`${parameter.place} ${parameter.name}`, parameter);
    }
  }
  const hasBody = isObject(own['requestBody']);
  const body = hasBody ? resolved(document, [...at, 'requestBody']) : undefined;
  const content = body?.value['content'];
  return {
    parameters: [...parameters.values()],
    isBodyRequired: body?.value['required'] === true,
    bodies: isObject(content)
      ? Object.entries(content).map(([mediaType, media]) => ({
          mediaType: mediaType.toLowerCase(),
          accepts:
            isObject(media) && isObject(media['schema'])
              ? schemas.body(
                  [...(body?.at ?? []), 'content', mediaType, 'schema'],
                  mediaType.toLowerCase().includes('urlencoded'),
                )
              : undefined,
        }))
      : [],
  };
}

/** Undefined for what is not looked at: cookies, and parameters without a schema. */
function readParameter(document: Json, given: Place, schemas: Schemas): Parameter | undefined {
  const { value, at } = resolved(document, given);
  const { name, in: place, required, style, explode, content } = value;
  if (place !== 'path' && place !== 'query' && place !== 'header') return undefined;
  const isJson = isObject(content);
  const own = isJson ? ['content', Object.keys(content)[0] ?? '', 'schema'] : ['schema'];
  const schemaAt = [...at, ...own];
  if (!isObject(memberAt(document, schemaAt))) return undefined;
  const { type, properties } = resolved(document, schemaAt).value;
  const [kind] = [type].flat();
  return {
    name: String(name),
    place,
    isRequired: required === true || place === 'path',
    style: typeof style === 'string' ? style : undefined,
    explodes: typeof explode === 'boolean' ? explode : undefined,
    isJson,
    type: kind === 'array' || kind === 'object' ? kind : 'scalar',
    members: isObject(properties) ? Object.keys(properties) : [],
    accepts: schemas.value(schemaAt),
  };
}

/** The object at a place, references followed. */
function resolved(document: Json, given: Place): { readonly value: Json; readonly at: Place } {
  let at = given;
  for (let hop = 0; hop < HOPS_MAX; hop++) {
    const value = memberAt(document, at);
    if (!isObject(value)) throw new Error(`nothing at #/${at.join('/')}`);
    const reference = value['$ref'];
    if (typeof reference !== 'string') return { value, at };
    if (!reference.startsWith('#/')) throw new Error(`${reference}: only references within`);
    at = decodeURIComponent(reference.slice(2))
      .split('/')
      .map((one) => one.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  throw new Error(`#/${given.join('/')} refers to itself`);
}

function memberAt(document: Json, at: Place): unknown {
  let value: unknown = document;
  for (const key of at) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Json)[key];
  }
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
