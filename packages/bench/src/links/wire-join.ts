import type { SpanRecord } from './span-record.ts';

/**
 * Calls whose two ends have the same wire id, among those of which both ends were seen: another
 * process served the same path. NaN where none was.
 */
export function wireJoin(records: readonly SpanRecord[]): number {
  const servers = new Map<string, SpanRecord[]>();
  for (const record of records) {
    if (!record.isServer || !hasId(record)) continue;
    const known = servers.get(record.path);
    if (known === undefined) servers.set(record.path, [record]);
    else known.push(record);
  }
  let seen = 0;
  let joined = 0;
  for (const record of records) {
    if (record.isServer || !hasId(record)) continue;
    const others = servers.get(record.path)?.filter(({ pid }) => pid !== record.pid) ?? [];
    if (others.length === 0) continue;
    seen += 1;
    if (others.some(({ wireId }) => wireId === record.wireId)) joined += 1;
  }
  return joined / seen;
}

/** The load and the services give each request and each call a path of its own. */
function hasId({ path }: SpanRecord): boolean {
  return /^\/[rcb]\//.test(path);
}
