import type { Plugin } from '../plugins/plugin.ts';
import type { FieldSeal } from '../store/field-seal.ts';
import type { Store } from '../store/store.ts';
import { userOf } from './in-use.ts';
import { KINDS, type Kind } from './kinds.ts';
import { listAnswer } from './list.ts';
import { type CheckParts, type Fault, type ObjectValue, objectFault } from './object-check.ts';
import { isObject, merged, placed } from './patch.ts';
import { schemaAnswer } from './schema-api.ts';
import { shown, visible } from './shown.ts';
import type { Validator } from './validator.ts';

export interface AdminRequest {
  readonly method: string;
  /** Without `/apisix/admin/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** A text body is sent as it is; an object as JSON with a line feed. */
export interface AdminAnswer {
  readonly status: number;
  readonly body?: string | Readonly<Record<string, unknown>>;
}

export interface AdminParts {
  readonly store: Store;
  readonly validator: Validator;
  readonly plugins: readonly Plugin[];
  readonly attributes: CheckParts['attributes'];
  /** `proxy_mode` has streams: without it there are no stream routes. */
  readonly hasStreams: boolean;
  nowS(): number;
  /** Undefined: secrets are kept, and shown, as they are given. */
  readonly seal: FieldSeal | undefined;
}

const ID_PATTERN = /^[a-zA-Z0-9\-_.]{1,64}$/;

/** The Admin API without its transport: one request to one answer. Source: apisix.md §1. */
export function createAdminApi(parts: AdminParts): (request: AdminRequest) => Promise<AdminAnswer> {
  const { store } = parts;
  const byName = new Map(parts.plugins.map((plugin) => [plugin.name, plugin]));
  const check: CheckParts = { ...parts, findPlugin: (name) => byName.get(name) };

  return async (request) => {
    const segments = request.path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeSegment);
    const place = placeOf(segments);
    if (place === undefined) {
      const [first = ''] = segments;
      return (
        schemaAnswer(request, segments, { ...check, plugins: parts.plugins }) ??
        refusal(404, `Unsupported resource type: ${first}`)
      );
    }
    const { kind } = place;
    if (kind.path === 'stream_routes' && !parts.hasStreams) {
      return refusal(400, 'stream mode is disabled, can not add stream routes');
    }
    if (!kind.verbs.includes(request.method)) {
      return refusal(405, `not supported \`${request.method}\` method for ${kind.noun}`);
    }
    if (place.owner !== undefined && store.get(`/consumers/${place.owner}`) === undefined) {
      if (request.method !== 'PUT') return { status: 404, body: { message: 'Key not found' } };
      return refusal(404, 'consumer not found');
    }
    switch (request.method) {
      case 'GET':
        return read(place, request);
      case 'DELETE':
        return remove(place, request);
      case 'PATCH':
        return patch(place, request);
      default:
        return write(place, request);
    }
  };

  function read(place: Place, request: AdminRequest): AdminAnswer {
    if (place.id === undefined) return listAnswer(parts, place, request.query);
    const object = store.get(place.folder + place.id);
    if (object === undefined) return { status: 404, body: { message: 'Key not found' } };
    return { status: 200, body: shown(parts, place.kind, object) };
  }

  async function remove(place: Place, { query }: AdminRequest): Promise<AdminAnswer> {
    const { kind, id, folder } = place;
    if (id === undefined) return refusal(400, `missing ${kind.noun} id`);
    const user = query.get('force') === 'true' ? undefined : userOf(store, kind.path, id);
    if (user !== undefined) {
      return refusal(400, `can not delete this ${kind.noun}, ${user} is still using it now`);
    }
    const key = folder + id;
    if (!(await store.delete(key))) return { status: 404, body: { message: 'Key not found' } };
    if (kind.path === 'consumers') {
      for (const { key: inner } of store.list(`${key}/credentials/`)) await store.delete(inner);
    }
    return { status: 200, body: { deleted: '1', key: store.prefix + key } };
  }

  async function patch(place: Place, request: AdminRequest): Promise<AdminAnswer> {
    const { kind, id, folder, rest } = place;
    if (id === undefined) return refusal(400, `missing ${kind.noun} id`);
    const given = parseBody(request.body);
    if (given.kind === 'answer') return given.answer;
    if (given.value === undefined) return refusal(400, 'missing configurations');
    const before = store.get(folder + id);
    if (before === undefined) return { status: 404, body: { message: 'Key not found' } };
    const base = withoutTimes(before.value);
    const next = rest.length === 0 ? merged(base, given.value) : placed(base, rest, given.value);
    if (typeof next === 'string') return refusal(400, next);
    if (!isObject(next)) return refusal(400, 'missing configurations');
    const times = timesOf(next);
    const { answer } = await keep(place, id, withoutTimes(next), request.query, {
      times,
      unchangedSince: before.modifiedIndex,
    });
    return answer.status === 201 ? { ...answer, status: 200 } : answer;
  }

  async function write(place: Place, request: AdminRequest): Promise<AdminAnswer> {
    const { kind } = place;
    const ttl = ttlFault(request.query);
    if (ttl !== undefined) return refusal(400, ttl);
    const given = parseBody(request.body);
    if (given.kind === 'answer') return given.answer;
    if (given.value === undefined) return refusal(400, 'missing configurations');
    if (!isObject(given.value))
      return refusal(
        400,
        `invalid configuration: wrong type: expected object, got ${typeof given.value}`,
      );
    const id = idFor(place, given.value, request.method);
    if (typeof id === 'object') return id;
    if (id === undefined) {
      const made = String(await store.reserveId()).padStart(20, '0');
      return (await keep(place, made, { ...given.value, id: made }, request.query)).answer;
    }
    const value = withId(kind, id, given.value, place.id);
    const { answer } = await keep(place, id, value, request.query);
    return answer;
  }

  async function keep(
    place: Place,
    id: string,
    given: ObjectValue,
    query: URLSearchParams,
    patched?: { readonly times: ObjectValue; readonly unchangedSince: number },
  ): Promise<{ readonly answer: AdminAnswer }> {
    const ttl = query.get('ttl');
    const wrongTtl = ttlFault(query);
    if (wrongTtl !== undefined) return { answer: refusal(400, wrongTtl) };
    const key = place.folder + id;
    const checkedId = checkedIdOf(place, id);
    const value = parts.seal?.openKeys(key, given) ?? given;
    const wrong = objectFault(check, place.kind.path, checkedId, value);
    if (wrong !== undefined) return { answer: faultAnswer(wrong) };
    const nowS = parts.nowS();
    const createdS = store.get(key)?.value['create_time'] ?? nowS;
    const hasTimes = place.kind.path !== 'plugin_metadata';
    const times = hasTimes ? { create_time: createdS, update_time: nowS, ...patched?.times } : {};
    const stored = { ...value, ...times };
    const { object, isNew } = await store.put(key, stored, {
      ...(ttl === null ? {} : { ttlS: Number(ttl) }),
      ...(patched === undefined ? {} : { unchangedSince: patched.unchangedSince }),
    });
    // What a writer is shown has its secrets as they are kept.
    const plain = visible(place.kind, object);
    const body = {
      key: store.prefix + object.key,
      value: parts.seal?.seal(object.key, plain) ?? plain,
    };
    return { answer: { status: isNew ? 201 : 200, body } };
  }
}

/** Where a path leads. */
export interface Place {
  readonly kind: Kind;
  /** Key of the store without the id. */
  readonly folder: string;
  readonly id: string | undefined;
  /** Sub-path of PATCH. */
  readonly rest: readonly string[];
  /** The consumer of a credential. */
  readonly owner: string | undefined;
}

function placeOf([first = '', id, third, ...rest]: readonly string[]): Place | undefined {
  const kind = KINDS.find(({ path }) => path === first && path !== 'credentials');
  if (kind === undefined) return undefined;
  const folder = `/${first}/`;
  if (first === 'consumers' && third === 'credentials' && id !== undefined) {
    const credentials = KINDS.find(({ path }) => path === 'credentials') ?? kind;
    return {
      kind: credentials,
      folder: `${folder}${id}/credentials/`,
      id: rest[0],
      rest: [],
      owner: id,
    };
  }
  if (first === 'secrets' && id !== undefined) {
    const secretId = third === undefined ? undefined : third;
    return { kind, folder: `${folder}${id}/`, id: secretId, rest, owner: undefined };
  }
  return { kind, folder, id, rest: third === undefined ? [] : [third, ...rest], owner: undefined };
}

/** What checks know an object by: a credential by its key, a secret with its manager. */
function checkedIdOf({ kind, folder, owner }: Place, id: string): string {
  if (kind.path === 'secrets') return `${folder}${id}`.slice('/secrets/'.length);
  return owner === undefined ? id : folder + id;
}

/** The id to store under, or why there is none; undefined when one is to be made. */
function idFor(
  { kind, id: fromPath }: Place,
  value: ObjectValue,
  method: string,
): string | undefined | AdminAnswer {
  if (kind.path === 'consumers') {
    const { username } = value;
    if (typeof username !== 'string') return fromPath ?? '';
    if (fromPath !== undefined && fromPath !== username) return refusal(400, 'wrong username');
    return username;
  }
  const fromBody = value['id'];
  if (method === 'POST') {
    if (fromPath !== undefined || fromBody !== undefined) {
      return refusal(400, `wrong ${kind.noun} id, do not need it`);
    }
    return undefined;
  }
  const id = fromPath ?? (fromBody === undefined ? undefined : String(fromBody));
  if (id === undefined) return refusal(400, `missing ${kind.noun} id`);
  if (fromPath !== undefined && fromBody !== undefined && String(fromBody) !== fromPath) {
    return refusal(400, `wrong ${kind.noun} id`);
  }
  if (kind.path !== 'plugin_metadata' && !ID_PATTERN.test(id)) {
    return refusal(
      400,
      'invalid configuration: property "id" validation failed: object matches none of the required',
    );
  }
  return id;
}

function withId(
  kind: Kind,
  id: string,
  value: ObjectValue,
  fromPath: string | undefined,
): ObjectValue {
  if (kind.path === 'consumers') return value;
  return { ...value, id: fromPath === undefined ? (value['id'] ?? id) : (value['id'] ?? fromPath) };
}

function ttlFault(query: URLSearchParams): string | undefined {
  const ttl = query.get('ttl');
  if (ttl === null || (ttl !== '' && Number(ttl) >= 0)) return undefined;
  return 'invalid argument ttl: should be a number';
}

/** A patch may set the times, which PUT and POST may not. */
function timesOf(value: ObjectValue): ObjectValue {
  const names = ['create_time', 'update_time'];
  return Object.fromEntries(
    Object.entries(value).filter(([name, time]) => names.includes(name) && Number.isInteger(time)),
  );
}

function withoutTimes(value: ObjectValue): ObjectValue {
  return Object.fromEntries(
    Object.entries(value).filter(([name]) => name !== 'create_time' && name !== 'update_time'),
  );
}

type Parsed =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'answer'; readonly answer: AdminAnswer };

function parseBody(text: string): Parsed {
  if (text.trim() === '') return { kind: 'value', value: undefined };
  try {
    return { kind: 'value', value: JSON.parse(escapedControls(text)) };
  } catch (error) {
    const why = error instanceof Error ? error.message : 'not JSON';
    const body = { error_msg: `invalid request body: ${why}`, req_body: text };
    return { kind: 'answer', answer: { status: 400, body } };
  }
}

/** cjson takes line feeds and tabs within strings as they are; JSON.parse wants them escaped. */
function escapedControls(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/gs, (string) =>
    string.replace(/[\n\r\t]/g, (control) => JSON.stringify(control).slice(1, -1)),
  );
}

function faultAnswer({ message, all, status }: Fault): AdminAnswer {
  const errors = all.length > 1 ? { errors: all } : {};
  return { status: status ?? 400, body: { error_msg: message, ...errors } };
}

export function refusal(status: number, message: string): AdminAnswer {
  return { status, body: { error_msg: message } };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
