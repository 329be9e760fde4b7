import type { RequestContext } from '../request-context.ts';
import type { RoutePattern } from './route-pattern.ts';

/** What decides beside host and path; compiled once for each route. */
export interface Predicates {
  readonly methods: ReadonlySet<string> | undefined;
  /** Undefined: any. What a route does not ask for is not there to be looked at. */
  readonly acceptsAddress: ((address: string) => boolean) | undefined;
  readonly acceptsVariables: ((context: RequestContext) => boolean) | undefined;
}

export interface RouteEntry<Route> extends Predicates {
  readonly route: Route;
  /** Lower case; `*.a.b` and `*` are patterns. Empty: any host. */
  readonly hosts: readonly string[];
  readonly patterns: readonly RoutePattern[];
  readonly priority: number;
  /** Order of creation: of two alike the older one wins, the same at every start. */
  readonly createdIndex: number;
  readonly id: string;
}

export interface Match<Route> {
  readonly route: Route;
  readonly pattern: RoutePattern;
  readonly host: string;
  readonly parameters: ReadonlyMap<string, string> | undefined;
}

export type Rejection = 'host' | 'uri' | 'method' | 'remote_addr' | 'vars';

export interface Router<Route> {
  /** Replaces the route of that id. */
  put(entry: RouteEntry<Route>): void;
  remove(id: string): void;
  match(context: RequestContext): Match<Route> | undefined;
  /** The routes that were looked at, in order, each with what kept it from matching. */
  explain(context: RequestContext): readonly {
    readonly id: string;
    readonly uri: string;
    readonly rejection: Rejection | undefined;
  }[];
}

/** `host-first` looks for the host, then the path within it; `uri-first` has hosts as a filter. */
export type RouterMode = 'host-first' | 'uri-first';

/** One way to reach a route: it stands in the index once for each host and path. */
interface Candidate<Route> {
  readonly entry: RouteEntry<Route>;
  readonly pattern: RoutePattern;
  readonly host: string;
}

/**
 * Looks routes up by hash of exact text and of each length of prefix in use, so that a change costs
 * only its own route. Precedence: host exact, host wildcard (longest first), no host; within it path
 * exact, then longest prefix; within it priority, longer pattern, age.
 */
export function createRouter<Route>(mode: RouterMode): Router<Route> {
  const entries = new Map<string, RouteEntry<Route>>();
  const exactHosts = new Map<string, PathIndex<Route>>();
  const wildcardHosts = createLengthIndex<PathIndex<Route>>((suffix) => suffix.charCodeAt(0));
  const anyHost = createPathIndex<Route>();

  function indexOf(host: string): PathIndex<Route> {
    if (host === '') return anyHost;
    if (!host.startsWith('*')) return getOrMake(exactHosts, host, createPathIndex<Route>);
    return wildcardHosts.getOrMake(host.slice(1), createPathIndex<Route>);
  }

  function prune(host: string): void {
    if (host === '' || !indexOf(host).isEmpty()) return;
    if (host.startsWith('*')) wildcardHosts.delete(host.slice(1));
    else exactHosts.delete(host);
  }

  function hostsOf(entry: RouteEntry<Route>): readonly string[] {
    return mode === 'uri-first' || entry.hosts.length === 0 ? [''] : entry.hosts;
  }

  function remove(id: string): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    for (const host of hostsOf(entry)) {
      for (const pattern of entry.patterns) indexOf(host).remove(pattern, entry);
      prune(host);
    }
  }

  /** Calls `visit` with candidates in order of precedence until it answers true. */
  function visitAll(context: RequestContext, visit: Visit<Route>): boolean {
    const exact = exactHosts.size === 0 ? undefined : exactHosts.get(context.host);
    if (exact?.visit(context.path, visit) === true) return true;
    if (wildcardHosts.size() > 0) {
      const isFound = wildcardHosts.visitEnds(context.host, (index) =>
        index.visit(context.path, visit),
      );
      if (isFound) return true;
    }
    return anyHost.visit(context.path, visit);
  }

  return {
    put(entry) {
      remove(entry.id);
      entries.set(entry.id, entry);
      for (const host of hostsOf(entry)) {
        for (const pattern of entry.patterns) indexOf(host).add({ entry, pattern, host });
      }
    },
    remove,
    match(context) {
      let found: Match<Route> | undefined;
      visitAll(context, (candidate) => {
        const host = matchingHost(candidate, context.host);
        if (host === undefined || rejection(candidate.entry, context) !== undefined) return false;
        const { pattern, entry } = candidate;
        const parameters = parametersOf(pattern, context.path);
        if (parameters === undefined) return false;
        found = {
          route: entry.route,
          pattern,
          host,
          parameters: parameters.size === 0 ? undefined : parameters,
        };
        return true;
      });
      return found;
    },
    explain(context) {
      const seen: { id: string; uri: string; rejection: Rejection | undefined }[] = [];
      visitAll(context, (candidate) => {
        const { entry, pattern } = candidate;
        const isHost = matchingHost(candidate, context.host) !== undefined;
        const isPath = parametersOf(pattern, context.path) !== undefined;
        const why = isHost ? (isPath ? rejection(entry, context) : 'uri') : 'host';
        seen.push({ id: entry.id, uri: pattern.text, rejection: why });
        return why === undefined;
      });
      return seen;
    },
  };
}

type Visit<Route> = (candidate: Candidate<Route>) => boolean;

function rejection<Route>(
  entry: RouteEntry<Route>,
  context: RequestContext,
): Rejection | undefined {
  if (entry.methods !== undefined && !entry.methods.has(context.method)) return 'method';
  if (entry.acceptsAddress?.(context.clientIp) === false) return 'remote_addr';
  return entry.acceptsVariables?.(context) === false ? 'vars' : undefined;
}

/** The pattern that the host matches: `''` when the route is for any; undefined when none does. */
function matchingHost<Route>(candidate: Candidate<Route>, host: string): string | undefined {
  const { hosts } = candidate.entry;
  if (candidate.host !== '' || hosts.length === 0) return candidate.host;
  return hosts.find((pattern) =>
    pattern.startsWith('*') ? host.endsWith(pattern.slice(1)) : pattern === host,
  );
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** Undefined when the rest of the pattern does not match. */
function parametersOf(
  pattern: RoutePattern,
  path: string,
): ReadonlyMap<string, string> | undefined {
  if (pattern.rest === undefined) return NO_PARAMETERS;
  const found = pattern.rest.exec(path);
  if (found === null) return undefined;
  return new Map(pattern.parameters.map((name, i) => [name, found[i + 1] ?? '']));
}

interface PathIndex<Route> {
  add(candidate: Candidate<Route>): void;
  remove(pattern: RoutePattern, entry: RouteEntry<Route>): void;
  visit(path: string, visit: Visit<Route>): boolean;
  isEmpty(): boolean;
}

function createPathIndex<Route>(): PathIndex<Route> {
  const exact = new Map<string, Candidate<Route>[]>();
  const prefixes = createLengthIndex<Candidate<Route>[]>((prefix) =>
    prefix.charCodeAt(prefix.length - 1),
  );

  function add(candidate: Candidate<Route>): void {
    const { kind, key } = candidate.pattern;
    const make = (): Candidate<Route>[] => [];
    const list = kind === 'exact' ? getOrMake(exact, key, make) : prefixes.getOrMake(key, make);
    const at = list.findIndex((other) => comesBefore(candidate, other));
    list.splice(at < 0 ? list.length : at, 0, candidate);
  }

  function remove({ kind, key }: RoutePattern, entry: RouteEntry<Route>): void {
    const list = kind === 'exact' ? exact.get(key) : prefixes.get(key);
    const at = list?.findIndex((other) => other.entry === entry) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length > 0) return;
    if (kind === 'exact') exact.delete(key);
    else prefixes.delete(key);
  }

  return {
    add,
    remove,
    isEmpty: () => exact.size === 0 && prefixes.size() === 0,
    visit(path, visit) {
      if (exact.size > 0 && exact.get(path)?.some(visit) === true) return true;
      return prefixes.size() > 0 && prefixes.visitStarts(path, (list) => list.some(visit));
    },
  };
}

function comesBefore<Route>(a: Candidate<Route>, b: Candidate<Route>): boolean {
  if (a.entry.priority !== b.entry.priority) return a.entry.priority > b.entry.priority;
  const [longA, longB] = [a.pattern.text.length, b.pattern.text.length];
  if (longA !== longB) return longA > longB;
  if (a.entry.createdIndex !== b.entry.createdIndex) {
    return a.entry.createdIndex < b.entry.createdIndex;
  }
  return a.entry.id < b.entry.id;
}

interface LengthIndex<Value> {
  get(key: string): Value | undefined;
  getOrMake(key: string, make: () => Value): Value;
  delete(key: string): void;
  size(): number;
  /** Values whose key is how `text` begins, longest first, until `visit` answers true. */
  visitStarts(text: string, visit: (value: Value) => boolean): boolean;
  visitEnds(text: string, visit: (value: Value) => boolean): boolean;
}

/**
 * Text by exact look-up at each length in use, however many keys there are, and of these only at lengths
 * where the text has what keys of that length have at the cut: `/` in nearly all prefixes, `.` in suffixes.
 * `edge` is the code at the inner end of a key.
 */
function createLengthIndex<Value>(edge: (key: string) => number): LengthIndex<Value> {
  const values = new Map<string, Value>();
  /** By length and edge, how many keys have them. */
  const counts = new Map<number, Map<number, number>>();
  let lengths: readonly (readonly [number, ReadonlyMap<number, number>])[] = [];

  function count(key: string, by: number): void {
    const edges = getOrMake(counts, key.length, () => new Map<number, number>());
    const next = (edges.get(edge(key)) ?? 0) + by;
    if (next === 0) edges.delete(edge(key));
    else edges.set(edge(key), next);
    if (edges.size === 0) counts.delete(key.length);
    lengths = [...counts].sort(([a], [b]) => b - a);
  }

  return {
    get: (key) => values.get(key),
    getOrMake(key, make) {
      const known = values.get(key);
      if (known !== undefined) return known;
      const made = make();
      values.set(key, made);
      count(key, 1);
      return made;
    },
    delete(key) {
      if (values.delete(key)) count(key, -1);
    },
    size: () => values.size,
    visitStarts(text, visit) {
      for (const [length, edges] of lengths) {
        if (length > text.length || !edges.has(text.charCodeAt(length - 1))) continue;
        const value = values.get(text.slice(0, length));
        if (value !== undefined && visit(value)) return true;
      }
      return false;
    },
    visitEnds(text, visit) {
      for (const [length, edges] of lengths) {
        if (length > text.length || !edges.has(text.charCodeAt(text.length - length))) continue;
        const value = values.get(text.slice(text.length - length));
        if (value !== undefined && visit(value)) return true;
      }
      return false;
    },
  };
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
