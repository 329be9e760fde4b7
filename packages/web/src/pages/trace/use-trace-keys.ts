import { useNavigate } from 'react-router';
import type { TraceTree } from '../../panels/trace-tree/tree.ts';
import {
  clampWindow,
  panWindow,
  type TimeWindow,
  zoomWindow,
} from '../../panels/trace-tree/window.ts';
import { useKeys } from '../../ui/keys.ts';
import { isFolded, type TraceState, toggleFold, VIEWS } from './state.ts';
import type { TraceSteps } from './use-trace-steps.ts';

const ZOOM = 0.6;
const PAGE_ROWS = 20;
const PAN_SHARE = 0.2;
/** Room on each side of a span that is zoomed to, as a share of it. */
const MARGIN_SHARE = 0.05;

interface TraceKeys {
  readonly tree: TraceTree;
  readonly rows: Int32Array;
  readonly state: TraceState;
  readonly selected: number | undefined;
  readonly window: TimeWindow;
  readonly backTo: string;
  readonly steps: TraceSteps;
  onChange(state: TraceState): void;
  onFind(): void;
}

/** The next view after this one. */
function nextView(state: TraceState): TraceState {
  return { ...state, view: VIEWS[(VIEWS.indexOf(state.view) + 1) % VIEWS.length] ?? 'both' };
}

type Key = readonly [key: string, act: () => void];

/** Keys that move through the rows and fold them. */
function rowKeys({ tree, rows, state, selected, steps, onChange }: TraceKeys): readonly Key[] {
  const span = selected === undefined ? undefined : tree.spans[selected];
  const move = (by: number): void => {
    const at = selected === undefined ? -1 : rows.indexOf(selected);
    const index = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (index !== undefined) steps.select(index);
  };
  const fold = (wanted: boolean): void => {
    if (selected === undefined || span === undefined) {
      move(1);
      return;
    }
    const isParent = (tree.childCount[selected] ?? 0) > 0;
    const isNow = isFolded(state, span.spanId, tree.depth[selected] ?? 0);
    const next = wanted ? (tree.parent[selected] ?? -1) : isParent ? selected + 1 : -1;
    if (isParent && isNow !== wanted) onChange(toggleFold(state, span.spanId));
    else if (next >= 0) steps.select(next);
  };
  return [
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['ArrowDown', () => move(1)],
    ['ArrowUp', () => move(-1)],
    ['PageDown', () => move(PAGE_ROWS)],
    ['PageUp', () => move(-PAGE_ROWS)],
    ['Home', () => move(-rows.length)],
    ['End', () => move(rows.length)],
    ['ArrowLeft', () => fold(true)],
    ['ArrowRight', () => fold(false)],
    ['h', () => fold(true)],
    ['l', () => fold(false)],
    ['C', () => onChange({ ...state, foldDepth: 1, folded: [] })],
    ['E', () => onChange({ ...state, foldDepth: undefined, folded: [] })],
  ];
}

/** Keys that choose the time that is shown. */
function timeKeys({ tree, state, selected, window, steps, onChange }: TraceKeys): readonly Key[] {
  const durationUs = tree.endUs - tree.startUs;
  const span = selected === undefined ? undefined : tree.spans[selected];
  const zoom = (factor: number): void => {
    const middleUs = (window.fromUs + window.toUs) / 2;
    const spanUs = span === undefined ? middleUs : (span.startUs + span.endUs) / 2 - tree.startUs;
    const isInside = spanUs >= window.fromUs && spanUs <= window.toUs;
    steps.setWindow(zoomWindow(window, factor, isInside ? spanUs : middleUs, durationUs));
  };
  const zoomToSpan = (): void => {
    if (span === undefined) return;
    const margin = (span.endUs - span.startUs) * MARGIN_SHARE;
    const fromUs = span.startUs - tree.startUs - margin;
    const toUs = span.endUs - tree.startUs + margin;
    steps.setWindow(clampWindow({ fromUs, toUs }, durationUs));
  };
  return [
    ['+', () => zoom(ZOOM)],
    ['=', () => zoom(ZOOM)],
    ['-', () => zoom(1 / ZOOM)],
    ['0', () => onChange({ ...state, window: undefined })],
    ['a', () => steps.setWindow(panWindow(window, -PAN_SHARE, durationUs))],
    ['d', () => steps.setWindow(panWindow(window, PAN_SHARE, durationUs))],
    ['z', zoomToSpan],
  ];
}

/** What the keys of the trace page do. */
export function useTraceKeys(keys: TraceKeys): void {
  const { tree, state, steps, onChange } = keys;
  const navigate = useNavigate();
  const close = (): void => {
    const isShown = state.span !== '' && state.isDrawerOpen;
    if (isShown) onChange({ ...state, isDrawerOpen: false });
    else onChange({ ...state, find: '', isOnlyMatches: false });
  };
  const openDrawer = (): void => {
    const span = state.span || (tree.spans[0]?.spanId ?? '');
    onChange({ ...state, span, isDrawerOpen: true });
  };
  useKeys([
    ...rowKeys(keys),
    ...timeKeys(keys),
    ['Enter', openDrawer],
    ['Escape', close],
    ['f', keys.onFind],
    ['/', keys.onFind],
    ['n', () => steps.step(1)],
    ['N', () => steps.step(-1)],
    ['o', () => onChange({ ...state, isOnlyMatches: !state.isOnlyMatches })],
    ['v', () => onChange(nextView(state))],
    ['c', () => onChange({ ...state, isCritical: !state.isCritical })],
    ['u', () => void navigate(keys.backTo)],
  ]);
}
