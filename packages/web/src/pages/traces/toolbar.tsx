import type { ReactNode, RefObject } from 'react';
import { refreshNow } from '../../data/clock.ts';
import { QueryBar } from './query-bar.tsx';
import { resolveRange, type TimeRange, type TracesState } from './state.ts';
import { TimeRangePicker } from './time-range-picker.tsx';

interface ToolbarProps {
  readonly state: TracesState;
  readonly nowUs: number;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  onChange(state: TracesState): void;
}

/** Which requests, of which time, asked how often. */
export function Toolbar({ state, nowUs, inputRef, onChange }: ToolbarProps): ReactNode {
  const isRelative = state.range.kind === 'last';
  const setRange = (range: TimeRange): void => {
    const isLive = state.isLive && range.kind === 'last';
    onChange({ ...state, range, isLive, at: '' });
  };
  return (
    <div className="toolbar">
      <QueryBar
        state={state}
        range={resolveRange(state.range, nowUs)}
        inputRef={inputRef}
        onChange={(next) => onChange({ ...next, at: '' })}
      />
      <TimeRangePicker range={state.range} nowUs={nowUs} onChange={setRange} />
      <button
        type="button"
        className="button"
        aria-pressed={state.isLive}
        disabled={!isRelative}
        title="Ask again every 5 seconds (L)"
        onClick={() => onChange({ ...state, isLive: !state.isLive })}
      >
        <i className={state.isLive ? 'live-dot is-live' : 'live-dot'} /> Live
      </button>
      <button type="button" className="button" title="Ask again (r)" onClick={refreshNow}>
        Refresh
      </button>
    </div>
  );
}
