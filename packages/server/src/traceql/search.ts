import type { TraceAnswer } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { readAliases } from '../traces/aliases.ts';
import { type RowFilter, STARTED_WITHIN } from '../traces/filter.ts';
import { type Cursor, findRoots } from '../traces/search.ts';
import { readTraces } from '../traces/trace.ts';
import { evaluateTraceql, type Spanset } from './evaluate.ts';
import { necessaryCondition } from './necessary.ts';
import type { TraceqlQuery } from './syntax.ts';
import { type TraceView, viewTrace } from './trace-view.ts';

/** Roots that one look-up brings: some hundred spans' worth of traces at once. */
const ROOTS_A_ROUND = 100;
const SECONDS_MAX = 20;

export interface TraceqlMatch {
  readonly view: TraceView;
  readonly spansets: readonly Spanset[];
}

export interface TraceqlAnswer {
  /** The newest first. */
  readonly matches: readonly TraceqlMatch[];
  readonly inspectedTraces: number;
  /** Time or the number of traces ended the search before the time range did. */
  readonly isPartial: boolean;
}

export interface TraceqlSearch {
  readonly query: TraceqlQuery;
  readonly startUs: number;
  readonly endUs: number;
  readonly limit: number;
  readonly tracesMax: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Traces of the time range that a query finds. SQL names candidates, newest first; each is read
 * whole and evaluated until `limit` match.
 */
export async function searchTraceql(store: Store, search: TraceqlSearch): Promise<TraceqlAnswer> {
  const { query, limit, tracesMax, now } = search;
  const matches: TraceqlMatch[] = [];
  let inspectedTraces = 0;
  const candidates = { filter: candidateFilter(search), tracesMax, now };
  const isWhole = await candidateTraces(store, candidates, (view) => {
    inspectedTraces += 1;
    const spansets = evaluateTraceql(query, view);
    if (spansets.length > 0) matches.push({ view, spansets });
    return matches.length < limit;
  });
  return { matches, inspectedTraces, isPartial: !isWhole };
}

export interface Candidates {
  readonly filter: RowFilter;
  readonly tracesMax: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Visits each trace with a row that the filter takes, whole, newest first, until `visit` answers
 * false. Answers false where `tracesMax` or 20 s ended it before that or the last trace.
 */
export async function candidateTraces(
  store: Store,
  { filter, tracesMax, now }: Candidates,
  visit: (view: TraceView) => boolean,
): Promise<boolean> {
  const deadlineMs = now() + SECONDS_MAX * 1e3;
  const seen = new Set<string>();
  let after: Cursor | undefined;
  let visited = 0;
  for (;;) {
    const found = await findRoots(store, filter, after, ROOTS_A_ROUND);
    for (const trace of await unseenTraces(store, found, seen)) {
      visited += 1;
      if (!visit(viewTrace(trace))) return true;
    }
    after = found.at(-1);
    if (found.length < ROOTS_A_ROUND || after === undefined) return true;
    if (visited >= tracesMax || now() > deadlineMs) return false;
  }
}

function candidateFilter({ query, startUs, endUs }: TraceqlSearch): RowFilter {
  const { where, params } = necessaryCondition(query);
  return {
    where: [...STARTED_WITHIN, where].join(' AND '),
    params: { ...params, start: startUs, end: endUs },
  };
}

/** The traces of the roots that no earlier round brought, in the order of the roots. */
async function unseenTraces(
  store: Store,
  found: readonly Cursor[],
  seen: Set<string>,
): Promise<readonly TraceAnswer[]> {
  const aliases = await readAliases(
    store,
    found.map(({ root }) => root),
  );
  const groups: { final: string; members: readonly string[] }[] = [];
  for (const { root } of found) {
    const final = aliases.finalOf(root);
    if (seen.has(final)) continue;
    seen.add(final);
    groups.push({ final, members: aliases.membersOf(root) });
  }
  return readTraces(store, groups);
}
