import type { FieldSeal } from '../field-seal.ts';
import { createObjectTable } from '../object-table.ts';
import { ChangedError, type Store, type StoredObject } from '../store.ts';
import { createEtcdClient, type EtcdSettings, pause } from './etcd-client.ts';
import {
  type EtcdEvent,
  endOfPrefix,
  type JsonObject,
  type KeyValue,
  listOf,
  numberOf,
  objectOf,
  pairOf,
  revisionOf,
  toBase64,
  watchMessageOf,
} from './etcd-messages.ts';

export interface EtcdStoreParts {
  /** Why an object that another has written cannot be used; it is then left out. */
  fault(key: string, value: Readonly<Record<string, unknown>>): string | undefined;
  warn(message: string): void;
  /** As APISIX, secret fields are encrypted in etcd; one that no key opens was written plain. */
  readonly seal?: FieldSeal | undefined;
}

/** Objects asked for at once when all are read. */
const PAGE_SIZE = 200;
const RETRY_START_MS = 1_000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/**
 * The store that several gateways share: APISIX's own keys and values in etcd, followed by a watch.
 * Reads answer from memory, so while etcd is away requests go on and writes fail. A write resolves
 * once this gateway's own watch has brought it. Rejects with `EtcdError` when etcd does not answer.
 */
export async function openEtcdStore(settings: EtcdSettings, parts: EtcdStoreParts): Promise<Store> {
  const { warn } = parts;
  const prefix = settings.prefix.replace(/\/+$/, '');
  const range = { key: toBase64(`${prefix}/`), range_end: endOfPrefix(`${prefix}/`) };
  const client = createEtcdClient(settings, settings.watch_timeout * 1_000);
  const table = createObjectTable();
  const closing = new AbortController();
  let revision = 0;
  let isReachable = true;
  let waiters: { readonly revision: number; seen(): void }[] = [];

  /** Everything there is, a page at a time, all of one revision. */
  async function load(): Promise<void> {
    const found = new Map<string, StoredObject>();
    let at: number | undefined;
    let key = range.key;
    for (let hasMore = true; hasMore; ) {
      const revisionOfRead = at === undefined ? {} : { revision: String(at) };
      const page = { ...range, key, limit: String(PAGE_SIZE), ...revisionOfRead };
      const answer = await client.call('kv/range', page);
      at ??= revisionOf(answer);
      const pairs = listOf(answer['kvs']).map(pairOf);
      for (const pair of pairs) {
        const object = objectFrom(pair);
        if (object !== undefined) found.set(object.key, object);
      }
      hasMore = answer['more'] === true && pairs.length > 0;
      key = toBase64(`${pairs.at(-1)?.key}\0`);
    }
    const now = at ?? 0;
    for (const { key: known } of table.all()) if (!found.has(known)) table.remove(known, now);
    for (const object of found.values()) {
      if (!isSame(table.get(object.key), object)) table.set(object);
    }
    advance(now);
  }

  /** Undefined for keys that hold no object, and for objects that cannot be used. */
  function objectFrom({ key: whole, value: text, ...at }: KeyValue): StoredObject | undefined {
    const key = whole.slice(prefix.length);
    if (!isObjectKey(key)) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      warn(`etcd: ${whole} is not JSON: left out`);
      return undefined;
    }
    const opened = parts.seal?.open(key, objectOf(value)) ?? objectOf(value);
    const wrong = parts.fault(key, opened);
    if (wrong === undefined) {
      const indexes = { createdIndex: at.createRevision, modifiedIndex: at.modRevision };
      return { key, value: opened, ...indexes };
    }
    warn(`etcd: ${whole}: ${wrong}: left out`);
    return undefined;
  }

  function apply(event: EtcdEvent): void {
    if (event.kind === 'delete') table.remove(event.key.slice(prefix.length), event.modRevision);
    else {
      const object = objectFrom(event.pair);
      if (object === undefined) {
        table.remove(event.pair.key.slice(prefix.length), event.pair.modRevision);
      } else table.set(object);
    }
  }

  function advance(to: number): void {
    revision = to;
    const due = waiters.filter((waiter) => waiter.revision <= to);
    waiters = waiters.filter((waiter) => waiter.revision > to);
    for (const { seen } of due) seen();
  }

  /** Follows changes after `revision`; answers whether everything must be read anew. */
  async function watch(back: () => void): Promise<boolean> {
    let isStale = false;
    const create = { ...range, start_revision: String(revision + 1) };
    await client.stream('watch', { create_request: create }, (result) => {
      const message = watchMessageOf(result);
      if (message?.kind === 'created') {
        // Another cluster, or one restored from a copy: its revisions say nothing about ours.
        isStale = message.revision < revision;
        if (!isStale) back();
        return !isStale;
      }
      if (message?.kind === 'canceled') {
        isStale = true;
        if (message.compactRevision === 0) warn(`etcd: watch canceled: ${message.reason}`);
        return false;
      }
      for (const event of message?.events ?? []) {
        apply(event);
        advance(event.kind === 'put' ? event.pair.modRevision : event.modRevision);
      }
      return true;
    });
    return isStale;
  }

  async function follow(): Promise<void> {
    let waitMs = RETRY_MS_MIN;
    let isStale = false;
    const back = (): void => {
      if (!isReachable) warn('etcd: answers again');
      isReachable = true;
      waitMs = RETRY_MS_MIN;
    };
    while (!closing.signal.aborted) {
      try {
        if (isStale) await load();
        isStale = await watch(back);
      } catch (error) {
        if (closing.signal.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        if (isReachable) warn(`${why}; what is known is served until it answers again`);
        isReachable = false;
        await pause(waitMs, closing.signal);
        waitMs = Math.min(RETRY_MS_MAX, waitMs * 2);
      }
    }
  }

  /** Resolves when the watch has brought `wanted`. */
  function seen(wanted: number): Promise<void> {
    if (wanted <= revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiters = waiters.filter((one) => one !== waiter);
        const why = `etcd has kept it as revision ${wanted}, but its watch has not brought it`;
        reject(new Error(`${why} in ${settings.timeout} s`));
      }, settings.timeout * 1_000);
      const waiter = {
        revision: wanted,
        seen() {
          clearTimeout(timer);
          resolve();
        },
      };
      waiters.push(waiter);
    });
  }

  async function leaseOf(ttlS: number | undefined): Promise<JsonObject> {
    if (ttlS === undefined) return {};
    const lease = await client.call('lease/grant', { TTL: String(Math.max(1, Math.ceil(ttlS))) });
    return { lease: lease['ID'] };
  }

  await start(load, settings.startup_retry, warn).catch((error: unknown) => {
    client.close();
    throw error;
  });
  const following = follow();

  return {
    prefix,
    get: table.get,
    list: table.list,
    subscribe: table.subscribe,
    revision: () => revision,
    isReachable: () => isReachable,
    async reserveId() {
      // As APISIX: the revision of a key that is written for nothing else.
      const put = { key: toBase64(`${prefix}/gen_id`), value: toBase64('1') };
      return revisionOf(await client.call('kv/put', put));
    },
    async put(key, value, { ttlS, unchangedSince } = {}) {
      const body = {
        key: toBase64(prefix + key),
        value: toBase64(JSON.stringify(parts.seal?.seal(key, value) ?? value)),
        prev_kv: true,
        ...(await leaseOf(ttlS)),
      };
      const at = { key: body.key, target: 'MOD', result: 'EQUAL' };
      const answer =
        unchangedSince === undefined
          ? await client.call('kv/put', body)
          : putAnswer(
              await client.call('kv/txn', {
                compare: [{ ...at, mod_revision: String(unchangedSince) }],
                success: [{ request_put: body }],
              }),
            );
      const modifiedIndex = revisionOf(answer);
      const before = answer['prev_kv'] === undefined ? undefined : pairOf(answer['prev_kv']);
      await seen(modifiedIndex);
      const createdIndex = before?.createRevision ?? modifiedIndex;
      const object = { key, value, createdIndex, modifiedIndex };
      return { object, isNew: before === undefined };
    },
    async delete(key) {
      const answer = await client.call('kv/deleterange', { key: toBase64(prefix + key) });
      if (numberOf(answer['deleted']) === 0) return false;
      await seen(revisionOf(answer));
      return true;
    },
    async close() {
      closing.abort();
      client.close();
      await following;
    },
  };
}

/** The first read: etcd may be starting too, so it is tried `retries` times more. */
async function start(
  load: () => Promise<void>,
  retries: number,
  warn: (message: string) => void,
): Promise<void> {
  for (let left = retries; ; left--) {
    try {
      await load();
      return;
    } catch (error) {
      if (left <= 0) throw error;
      warn(`${error instanceof Error ? error.message : String(error)}; trying again`);
      await pause(RETRY_START_MS, new AbortController().signal);
    }
  }
}

/** What the put within a transaction answered. */
function putAnswer(answer: JsonObject): JsonObject {
  if (answer['succeeded'] !== true) throw new ChangedError();
  const [first] = listOf(answer['responses']).map(objectOf);
  return { ...objectOf(first?.['response_put']), header: answer['header'] };
}

/** Not the marks of folders (`/routes/`), nor what APISIX keeps beside objects. */
function isObjectKey(key: string): boolean {
  return !key.endsWith('/') && OBJECT_KEY.test(key);
}

const OBJECT_KEY =
  /^\/(routes|services|upstreams|consumers|consumer_groups|plugin_configs|plugin_metadata|global_rules|ssls|secrets|protos|stream_routes)\//;

function isSame(known: StoredObject | undefined, next: StoredObject): boolean {
  return (
    known?.modifiedIndex === next.modifiedIndex &&
    JSON.stringify(known.value) === JSON.stringify(next.value)
  );
}
