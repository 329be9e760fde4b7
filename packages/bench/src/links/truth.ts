import type { SpanRecord } from './span-record.ts';

/**
 * Ground truth by the ids that the load puts into paths: `/r/<id>` asks the front, which passes it on;
 * `/c/<id>/<n>` is a service's call on its behalf, as a path or inside a statement; `/b/<n>` is work of
 * a process's own. The agent does not look at paths.
 */
export interface Call {
  readonly record: SpanRecord;
  /** The request that it was made for; undefined for work of the process's own. */
  readonly parent: SpanRecord | undefined;
  readonly requestId: string;
}

export interface Truth {
  readonly calls: readonly Call[];
  /** Calls whose true parent was not seen at all: they say nothing about linking. */
  readonly unseenParents: number;
}

/** Calls that processes made while they served: those of the load's own client are left out. */
export function findTruth(records: readonly SpanRecord[]): Truth {
  const served = new Map<string, SpanRecord>();
  const servingPids = new Set<number>();
  for (const record of records) {
    if (!record.isServer) continue;
    servingPids.add(record.pid);
    const id = requestIdOf(record.path);
    if (id !== undefined) served.set(`${record.pid} ${id}`, record);
  }
  const calls: Call[] = [];
  let unseenParents = 0;
  for (const record of records) {
    if (record.isServer || !servingPids.has(record.pid)) continue;
    if (record.path.startsWith('/b/')) {
      calls.push({ record, parent: undefined, requestId: '' });
      continue;
    }
    const requestId = requestIdOf(record.path);
    if (requestId === undefined) continue;
    const parent = served.get(`${record.pid} ${requestId}`);
    if (parent === undefined) unseenParents += 1;
    else calls.push({ record, parent, requestId });
  }
  return { calls, unseenParents };
}

/**
 * The calls of the program under test: where a service stands behind a proxy that passes paths on,
 * those of the service. The proxy is nginx, and measured by cases of its own.
 */
export function ofSubject(truth: Truth): Truth {
  const calls = truth.calls.filter(({ record }) => !record.path.startsWith('/r/'));
  return calls.length === 0 ? truth : { ...truth, calls };
}

/** Of a call only with what follows its id: the capture may cut a statement in the midst of one. */
function requestIdOf(path: string): string | undefined {
  const [, asked, called] = /(?:^|[ "])\/(?:r\/([^/?" ]+)|c\/([^/?" ]+)\/)/.exec(path) ?? [];
  return asked ?? called;
}
