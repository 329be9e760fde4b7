import type { TraceTree } from '../trace-tree/tree.ts';
import type { TimeWindow } from '../trace-tree/window.ts';

/** Past this many lanes spans share the last one: a screen shows a tenth of them. */
const LANES_MAX = 512;

/** Spans in lanes: below the parent, and never two at one time in one lane but the last. */
export interface FlameLayout {
  /** Indexes of spans, by lane, by start. Also by end, but in the last of `LANES_MAX` lanes. */
  readonly lanes: readonly Int32Array[];
  readonly laneOf: Int32Array;
}

/**
 * First fit: spans come in tree order with siblings by start, so a lane that is free at a span's
 * start stays sorted when the span is appended. O(n × lanes) at worst.
 */
export function layoutFlame(tree: TraceTree): FlameLayout {
  const lanes: number[][] = [];
  const freeFrom: number[] = [];
  const laneOf = new Int32Array(tree.spans.length);
  tree.spans.forEach((span, index) => {
    const above = tree.parent[index] ?? -1;
    let lane = above < 0 ? 0 : Math.min(LANES_MAX - 1, (laneOf[above] ?? 0) + 1);
    while (lane < LANES_MAX - 1 && (freeFrom[lane] ?? Number.NEGATIVE_INFINITY) > span.startUs) {
      lane += 1;
    }
    while (lanes.length <= lane) lanes.push([]);
    lanes[lane]?.push(index);
    laneOf[index] = lane;
    // A span without width still takes its place: a microsecond.
    freeFrom[lane] = Math.max(freeFrom[lane] ?? 0, span.endUs, span.startUs + 1);
  });
  return { lanes: lanes.map((lane) => Int32Array.from(lane)), laneOf };
}

/** Position in a lane of the first span that ends after `us`. O(log n). */
function firstEndingAfter(tree: TraceTree, lane: Int32Array, us: number): number {
  let low = 0;
  let high = lane.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const span = tree.spans[lane[middle] ?? 0];
    if (span !== undefined && Math.max(span.endUs, span.startUs + 1) <= us) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface FlameBar {
  readonly index: number;
  readonly left: number;
  readonly width: number;
}

/**
 * Bars of one lane that fall in the window, in CSS pixels from its left edge, clipped to it. Bars
 * that share one pixel with a bar before are left out: they could not be told apart.
 */
export function laneBars(
  tree: TraceTree,
  lane: Int32Array,
  window: TimeWindow,
  widthPx: number,
): readonly FlameBar[] {
  const bars: FlameBar[] = [];
  const scale = widthPx / (window.toUs - window.fromUs);
  const originUs = tree.startUs + window.fromUs;
  const endUs = tree.startUs + window.toUs;
  let drawnTo = Number.NEGATIVE_INFINITY;
  for (let at = firstEndingAfter(tree, lane, originUs); at < lane.length; at++) {
    const index = lane[at] ?? 0;
    const span = tree.spans[index];
    if (span === undefined || span.startUs > endUs) break;
    const left = Math.max(0, (span.startUs - originUs) * scale);
    const right = Math.min(widthPx, Math.max(left + 1, (span.endUs - originUs) * scale));
    if (right <= drawnTo + 0.5) continue;
    bars.push({ index, left, width: right - left });
    drawnTo = right;
  }
  return bars;
}

/** The span at a point of a lane, within `slackUs` on either side; undefined where none is. */
export function spanAt(
  tree: TraceTree,
  layout: FlameLayout,
  lane: number,
  us: number,
  slackUs: number,
): number | undefined {
  const spans = layout.lanes[lane];
  if (spans === undefined) return undefined;
  const at = tree.startUs + us;
  const index = spans[firstEndingAfter(tree, spans, at - slackUs)];
  if (index === undefined) return undefined;
  return (tree.spans[index]?.startUs ?? 0) - slackUs <= at ? index : undefined;
}
