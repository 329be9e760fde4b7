import { LINK_SHOWN } from '@thalweg/model';
import type { ReactNode } from 'react';
import { formatProbability, plural } from '../../ui/format.ts';
import type { TraceState } from './state.ts';

interface LinkBarProps {
  readonly state: TraceState;
  /** Links that the threshold takes away. */
  readonly cutCount: number;
  onChange(state: TraceState): void;
}

/** How sure a link must be to be drawn, and whether the critical path is marked. */
export function LinkBar({ state, cutCount, onChange }: LinkBarProps): ReactNode {
  return (
    <div className="link-bar">
      <label>
        Links from
        <input
          type="range"
          min={LINK_SHOWN * 100}
          max={100}
          value={Math.round(state.threshold * 100)}
          aria-label="Least probability of a link"
          aria-valuetext={formatProbability(state.threshold)}
          onChange={(event) => onChange({ ...state, threshold: event.target.valueAsNumber / 100 })}
        />
        <output className="num">{formatProbability(state.threshold)}</output>
      </label>
      {cutCount > 0 && (
        <span className="soft" role="status">
          {plural(cutCount, 'link')} cut
        </span>
      )}
      <button
        type="button"
        className="button"
        aria-pressed={state.isCritical}
        title="Mark what the end of the trace waited for (c)"
        onClick={() => onChange({ ...state, isCritical: !state.isCritical })}
      >
        Critical path
      </button>
    </div>
  );
}
