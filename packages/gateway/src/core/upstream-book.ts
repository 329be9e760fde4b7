import type { Store, StoredObject } from '../store/store.ts';
import type { Hub } from '../workers/hub.ts';
import { createHealthBook, type HealthBook, type HealthReport } from './health/health-book.ts';
import type { UpstreamObject } from './objects.ts';
import { createUpstream, type Upstream } from './upstream.ts';

/** Every upstream in use, kept while its configuration says the same. */
export interface UpstreamBook {
  /** Written inside a route, a service or a plugin's configuration. */
  own(kind: string, id: string, object: UpstreamObject): Upstream;
  /** By id; undefined when there is none. */
  stored(id: string): Upstream | undefined;
  changed(kind: string, id: string, now: StoredObject | undefined): void;
  all(): readonly Upstream[];
  /** Takes over what the other processes know of the nodes. */
  learn(): Promise<void>;
}

export interface UpstreamBookParts {
  readonly store: Store;
  readonly isHealthEnabled: boolean;
  /** What one process sees of a node, all know. */
  readonly hub: Hub;
  resolve(host: string): Promise<readonly string[]>;
  now(): number;
  random(): number;
}

interface Kept {
  /** The object that `json` was made of: the same one again needs no second look. */
  object: UpstreamObject;
  readonly json: string;
  readonly upstream: Upstream;
}

/** What one process has seen, for the others. */
interface Seen {
  readonly book: string;
  readonly report: HealthReport;
}

type Known = readonly (readonly [book: string, nodes: ReturnType<HealthBook['all']>])[];

const REPORTS = 'health reports';
const KNOWN = 'health';

export function createUpstreamBook(parts: UpstreamBookParts): UpstreamBook {
  const { hub } = parts;
  const kept = new Map<string, Kept>();
  /** Health outlives a change of the nodes: what is known of a node stays true. */
  const health = new Map<string, HealthBook>();

  function get(key: string, object: UpstreamObject): Upstream {
    const known = kept.get(key);
    if (known?.object === object) return known.upstream;
    const json = JSON.stringify(object);
    if (known?.json === json) {
      known.object = object;
      return known.upstream;
    }
    const upstream = createUpstream(object, {
      ...parts,
      name: `/apisix/${key}`,
      health: healthOf(key, object),
    });
    kept.set(key, { object, json, upstream });
    return upstream;
  }

  function healthOf(key: string, object: UpstreamObject): HealthBook | undefined {
    if (object.checks === undefined || !parts.isHealthEnabled) {
      health.delete(key);
      return undefined;
    }
    return bookOf(key);
  }

  function bookOf(key: string): HealthBook {
    const book =
      health.get(key) ??
      createHealthBook((report) => hub.tell(REPORTS, { book: key, report } satisfies Seen));
    health.set(key, book);
    return book;
  }

  hub.topic(REPORTS, {
    answer(question) {
      const { book, report } = question as Seen;
      // This process may not use the upstream yet: it is known then.
      if (parts.isHealthEnabled) bookOf(book).take(report);
    },
  });
  hub.topic(KNOWN, { answer: () => [...health].map(([key, book]) => [key, book.all()]) });

  return {
    own: (kind, id, object) => get(`${kind}/${id}`, object),
    stored(id) {
      const object = parts.store.get(`/upstreams/${id}`)?.value;
      // Checked edge: the Admin API has validated it before it was stored.
      return object === undefined ? undefined : get(`upstreams/${id}`, object as UpstreamObject);
    },
    changed(kind, id, now) {
      const key = `${kind}/${id}`;
      // Those within plugins' configurations are found again, if they are still in use.
      for (const inner of kept.keys()) {
        if (inner.startsWith(`inline//apisix/${key} `)) kept.delete(inner);
      }
      const hasUpstream =
        kind === 'upstreams' ? now !== undefined : now?.value['upstream'] !== undefined;
      if (hasUpstream) return;
      kept.delete(key);
      health.delete(key);
    },
    all: () => [...kept.values()].map(({ upstream }) => upstream),
    async learn() {
      const answers = (await hub.ask(KNOWN)) as readonly Known[];
      for (const [key, nodes] of answers.flat()) bookOf(key).learn(nodes);
    },
  };
}
