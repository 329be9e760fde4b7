import type { Span } from '@thalweg/model';
import type { TraceTree } from '../trace-tree/tree.ts';

/** Where a request was seen, on its way from the first client to the last server. */
export interface LadderPoint {
  readonly index: number;
  readonly span: Span;
  /** Segments that were sent again while the request passed here, and refusals to take more. */
  readonly retransmissions: number;
  readonly zeroWindows: number;
}

/** From one point to the next. */
export interface LadderLeg {
  /** `wire`: one exchange on its way; `process`: inside the service that received it. */
  readonly kind: 'wire' | 'process';
  /** Whose time it is, of a `process` leg. */
  readonly service: string;
  /** First byte of the request, µs; undefined where the two clocks do not compare. */
  readonly requestUs: number | undefined;
  /** Last byte of the answer, on the way back. */
  readonly responseUs: number | undefined;
  /** Both together: needs no common clock. */
  readonly bothUs: number;
  /** Of a `process` leg: between the interfaces through which request and call went. */
  readonly atInterfaces: { readonly requestUs: number; readonly responseUs: number } | undefined;
}

export interface Ladder {
  readonly points: readonly LadderPoint[];
  /** One less than points: `legs[i]` leads from `points[i]` to `points[i + 1]`. */
  readonly legs: readonly LadderLeg[];
}

/** Points shown around the chosen one: what a person reads. */
const POINTS_MAX = 40;

/**
 * The way of the request through the chosen span: from its root down to it, then on through the
 * longest call below. Spans of SDKs are left out: they saw no bytes.
 */
export function ladderOf(tree: TraceTree, index: number): Ladder {
  const path = wayThrough(tree, index).filter((at) => tree.spans[at]?.signal !== 'A');
  const chosen = Math.max(0, path.indexOf(index));
  const from = Math.max(0, Math.min(chosen - POINTS_MAX / 2, path.length - POINTS_MAX));
  const points = path.slice(from, from + POINTS_MAX).flatMap((at) => pointOf(tree, at));
  return {
    points,
    legs: points.slice(1).flatMap((point, at) => legTo(points, at, point) ?? []),
  };
}

function wayThrough(tree: TraceTree, index: number): number[] {
  const path: number[] = [];
  for (let at = index; at >= 0; at = tree.parent[at] ?? -1) path.unshift(at);
  for (let at = nextBelow(tree, index); at !== undefined; at = nextBelow(tree, at)) path.push(at);
  return path;
}

/** The child that is the same exchange further on, else the one that took longest. */
function nextBelow(tree: TraceTree, index: number): number | undefined {
  const wireId = tree.spans[index]?.wireId;
  let best: number | undefined;
  let longestUs = -1;
  for (let at = index + 1; at < (tree.end[index] ?? 0); at = tree.end[at] ?? at + 1) {
    const child = tree.spans[at];
    if (child === undefined) continue;
    if (wireId !== '0' && child.wireId === wireId) return at;
    if (child.endUs - child.startUs <= longestUs) continue;
    longestUs = child.endUs - child.startUs;
    best = at;
  }
  return best;
}

function pointOf(tree: TraceTree, index: number): LadderPoint[] {
  const span = tree.spans[index];
  if (span === undefined) return [];
  const sum = (...names: readonly string[]): number =>
    names.reduce((total, name) => total + Number(span.fields[name] ?? 0), 0);
  return [
    {
      index,
      span,
      retransmissions: sum('retrans_tx', 'retrans_rx'),
      zeroWindows: sum('zero_win_tx', 'zero_win_rx'),
    },
  ];
}

function legTo(
  points: readonly LadderPoint[],
  at: number,
  { span: to }: LadderPoint,
): LadderLeg | undefined {
  const from = points[at]?.span;
  if (from === undefined) return undefined;
  const isProcess = from.wireId !== to.wireId;
  const both = between(from, to);
  return {
    kind: isProcess ? 'process' : 'wire',
    service: isProcess ? from.service : '',
    bothUs: from.endUs - from.startUs - (to.endUs - to.startUs),
    requestUs: both?.requestUs,
    responseUs: both?.responseUs,
    atInterfaces: isProcess ? betweenInterfaces(points, at) : undefined,
  };
}

/** The way out and the way back; undefined unless one agent's clock timed both ends. */
function between(from: Span, to: Span): LadderLeg['atInterfaces'] {
  const clock = from.fields['agent'];
  if (clock === undefined || clock === '' || clock !== to.fields['agent']) return undefined;
  return { requestUs: to.startUs - from.startUs, responseUs: from.endUs - to.endUs };
}

/** The interface before the process that received, and the one after the process that called. */
function betweenInterfaces(points: readonly LadderPoint[], at: number): LadderLeg['atInterfaces'] {
  const into = points[at - 1]?.span;
  const out = points[at + 2]?.span;
  if (into?.observationPoint !== 's' || out?.observationPoint !== 'c') return undefined;
  return between(into, out);
}
