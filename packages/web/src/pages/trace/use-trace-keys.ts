import { useNavigate } from 'react-router';
import type { TraceTree } from '../../panels/trace-tree/tree.ts';
import { panWindow, type TimeWindow, zoomWindow } from '../../panels/trace-tree/window.ts';
import { useKeys } from '../../ui/keys.ts';
import { isFolded, type TraceState, toggleFold, VIEWS } from './state.ts';

const ZOOM = 0.6;
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
  onChange(state: TraceState): void;
  onSelect(index: number): void;
  onFind(): void;
  onStep(by: 1 | -1): void;
}

/** The next view after this one. */
function nextView(state: TraceState): TraceState {
  return { ...state, view: VIEWS[(VIEWS.indexOf(state.view) + 1) % VIEWS.length] ?? 'both' };
}

/** What the keys of the trace page do. */
export function useTraceKeys(keys: TraceKeys): void {
  const { tree, rows, state, selected, window, onChange, onSelect, onStep } = keys;
  const navigate = useNavigate();
  const durationUs = tree.endUs - tree.startUs;
  const span = selected === undefined ? undefined : tree.spans[selected];
  const move = (by: number): void => {
    const at = selected === undefined ? -1 : rows.indexOf(selected);
    const index = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (index !== undefined) onSelect(index);
  };
  const zoom = (factor: number): void => {
    const middleUs = (window.fromUs + window.toUs) / 2;
    const spanUs = span === undefined ? middleUs : (span.startUs + span.endUs) / 2 - tree.startUs;
    const isInside = spanUs >= window.fromUs && spanUs <= window.toUs;
    const about = isInside ? spanUs : middleUs;
    onChange({ ...state, window: zoomWindow(window, factor, about, durationUs) });
  };
  const pan = (share: number): void =>
    onChange({ ...state, window: panWindow(window, share, durationUs) });
  const fold = (wanted: boolean): void => {
    if (selected === undefined || span === undefined) {
      move(1);
      return;
    }
    const isParent = (tree.childCount[selected] ?? 0) > 0;
    const isNow = isFolded(state, span.spanId, tree.depth[selected] ?? 0);
    const next = wanted ? (tree.parent[selected] ?? -1) : isParent ? selected + 1 : -1;
    if (isParent && isNow !== wanted) onChange(toggleFold(state, span.spanId));
    else if (next >= 0) onSelect(next);
  };
  const zoomToSpan = (): void => {
    if (span === undefined) return;
    const margin = (span.endUs - span.startUs) * MARGIN_SHARE;
    const fromUs = span.startUs - tree.startUs - margin;
    const toUs = span.endUs - tree.startUs + margin;
    onChange({ ...state, window: zoomWindow({ fromUs, toUs }, 1, fromUs, durationUs) });
  };
  const close = (): void => {
    const isShown = state.span !== '' && state.isDrawerOpen;
    if (isShown) onChange({ ...state, isDrawerOpen: false });
    else onChange({ ...state, find: '', isOnlyMatches: false });
  };
  useKeys([
    ['j', () => move(1)],
    ['k', () => move(-1)],
    ['ArrowDown', () => move(1)],
    ['ArrowUp', () => move(-1)],
    ['PageDown', () => move(20)],
    ['PageUp', () => move(-20)],
    ['Home', () => move(-rows.length)],
    ['End', () => move(rows.length)],
    ['ArrowLeft', () => fold(true)],
    ['ArrowRight', () => fold(false)],
    ['h', () => fold(true)],
    ['l', () => fold(false)],
    [
      'Enter',
      () =>
        onChange({
          ...state,
          span: state.span || (tree.spans[0]?.spanId ?? ''),
          isDrawerOpen: true,
        }),
    ],
    ['Escape', close],
    ['f', keys.onFind],
    ['/', keys.onFind],
    ['n', () => onStep(1)],
    ['N', () => onStep(-1)],
    ['o', () => onChange({ ...state, isOnlyMatches: !state.isOnlyMatches })],
    ['+', () => zoom(ZOOM)],
    ['=', () => zoom(ZOOM)],
    ['-', () => zoom(1 / ZOOM)],
    ['0', () => onChange({ ...state, window: undefined })],
    ['a', () => pan(-PAN_SHARE)],
    ['d', () => pan(PAN_SHARE)],
    ['z', zoomToSpan],
    ['v', () => onChange(nextView(state))],
    ['C', () => onChange({ ...state, foldDepth: 1, folded: [] })],
    ['E', () => onChange({ ...state, foldDepth: undefined, folded: [] })],
    ['u', () => void navigate(keys.backTo)],
  ]);
}
