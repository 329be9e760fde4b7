import { LINK_SHOWN } from '@thalweg/model';
import { clampWindow, type TimeWindow } from '../../panels/trace-tree/window.ts';

export const VIEWS = ['both', 'waterfall', 'flame'] as const;
export type View = (typeof VIEWS)[number];

/** All that the trace page shows, as its URL keeps it. */
export interface TraceState {
  /** Span in the drawer; empty for none. */
  readonly span: string;
  readonly isDrawerOpen: boolean;
  /** Undefined: the whole trace. */
  readonly window: TimeWindow | undefined;
  readonly find: string;
  /** Only rows that match `find`. */
  readonly isOnlyMatches: boolean;
  readonly view: View;
  /** Links below this probability are not drawn; `LINK_SHOWN` shows all there are. */
  readonly threshold: number;
  /** The critical path is marked. */
  readonly isCritical: boolean;
  readonly lit: string;
  /** Spans at this depth and deeper stand collapsed; undefined for none. */
  readonly foldDepth: number | undefined;
  /** Spans that stand the other way than `foldDepth` says. */
  readonly folded: readonly string[];
}

/** Keeps the URL short enough for each browser and proxy. */
const FOLDED_MAX = 64;

function whole(text: string | null): number | undefined {
  if (text === null || !/^\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}

/** The URL holds whole percents. */
function thresholdOf(text: string | null): number {
  const percent = whole(text);
  return Math.min(1, Math.max(LINK_SHOWN, (percent ?? 0) / 100));
}

function percentOf(share: number): number {
  return Math.round(share * 100);
}

/** Reads the URL. What it cannot read stands at its default. */
export function readTraceState(params: URLSearchParams): TraceState {
  const fromUs = whole(params.get('from'));
  const toUs = whole(params.get('to'));
  const isWindow = fromUs !== undefined && toUs !== undefined && fromUs < toUs;
  return {
    span: params.get('span') ?? '',
    isDrawerOpen: params.get('drawer') !== '0',
    window: isWindow ? { fromUs, toUs } : undefined,
    find: params.get('find') ?? '',
    isOnlyMatches: params.get('only') === '1',
    view: VIEWS.find((view) => view === params.get('view')) ?? 'both',
    threshold: thresholdOf(params.get('least')),
    isCritical: params.get('critical') === '1',
    lit: params.get('service') ?? '',
    foldDepth: whole(params.get('depth')),
    folded: (params.get('fold') ?? '').split('.').filter((id) => id !== ''),
  };
}

/** Writes the URL; what stands at its default is left out. Inverse of `readTraceState`. */
export function writeTraceState(state: TraceState): URLSearchParams {
  const params = new URLSearchParams();
  if (state.span !== '') params.set('span', state.span);
  if (!state.isDrawerOpen) params.set('drawer', '0');
  if (state.window !== undefined) {
    params.set('from', String(Math.floor(state.window.fromUs)));
    params.set('to', String(Math.ceil(state.window.toUs)));
  }
  if (state.find !== '') params.set('find', state.find);
  if (state.isOnlyMatches) params.set('only', '1');
  if (state.view !== 'both') params.set('view', state.view);
  if (state.threshold > LINK_SHOWN) params.set('least', String(percentOf(state.threshold)));
  if (state.isCritical) params.set('critical', '1');
  if (state.lit !== '') params.set('service', state.lit);
  if (state.foldDepth !== undefined) params.set('depth', String(state.foldDepth));
  if (state.folded.length > 0) params.set('fold', state.folded.join('.'));
  return params;
}

/** The window that is drawn, within the trace. */
export function shownWindow(state: TraceState, durationUs: number): TimeWindow {
  return clampWindow(state.window ?? { fromUs: 0, toUs: durationUs }, durationUs);
}

/** Whether a span stands collapsed. */
export function isFolded(
  state: Pick<TraceState, 'foldDepth' | 'folded'>,
  spanId: string,
  depth: number,
): boolean {
  const byDepth = state.foldDepth !== undefined && depth >= state.foldDepth;
  return byDepth !== state.folded.includes(spanId);
}

/** Turns one span over. Past the cap the oldest choice is forgotten. */
export function toggleFold(state: TraceState, spanId: string): TraceState {
  const others = state.folded.filter((id) => id !== spanId);
  const folded = others.length < state.folded.length ? others : [...others, spanId];
  return { ...state, folded: folded.slice(-FOLDED_MAX) };
}
