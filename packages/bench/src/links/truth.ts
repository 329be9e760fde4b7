import type { SpanRecord } from './span-record.ts';

/**
 * Ground truth by the ids that the load puts into paths: `/r/<id>` asks the front, `/c/<id>/<n>` is a
 * call on its behalf, `/b/<n>` is work of a process's own. The agent does not look at paths.
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

function requestIdOf(path: string): string | undefined {
  return /^\/[rc]\/([^/?]+)/.exec(path)?.[1];
}
