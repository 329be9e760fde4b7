import type { ReactNode, RefObject } from 'react';
import { formatCount } from '../../ui/format.ts';
import { type TraceState, VIEWS, type View } from './state.ts';

interface FindBarProps {
  readonly state: TraceState;
  readonly matches: readonly number[];
  /** Position of the selected span among the matches; −1 when it is none. */
  readonly matchAt: number;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  onChange(state: TraceState): void;
  onStep(by: 1 | -1): void;
}

const VIEW_NAMES: Record<View, string> = { both: 'Both', waterfall: 'Waterfall', flame: 'Flame' };

/** Find with its count, and the choice of the view. */
export function FindBar(props: FindBarProps): ReactNode {
  const { state, matches, onChange, onStep } = props;
  return (
    <div className="find-bar">
      <FindField {...props} />
      <button
        type="button"
        className="button"
        title="Next match (n)"
        aria-label="Next match"
        disabled={matches.length === 0}
        onClick={() => onStep(1)}
      >
        ↓
      </button>
      <button
        type="button"
        className="button"
        title="Previous match (N)"
        aria-label="Previous match"
        disabled={matches.length === 0}
        onClick={() => onStep(-1)}
      >
        ↑
      </button>
      <button
        type="button"
        className="button"
        aria-pressed={state.isOnlyMatches}
        title="Show matches only (o)"
        onClick={() => onChange({ ...state, isOnlyMatches: !state.isOnlyMatches })}
      >
        Only matches
      </button>
      <fieldset className="views">
        <legend className="hidden">View</legend>
        {VIEWS.map((view) => (
          <button
            key={view}
            type="button"
            className="button"
            aria-pressed={state.view === view}
            onClick={() => onChange({ ...state, view })}
          >
            {VIEW_NAMES[view]}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

function FindField(props: FindBarProps): ReactNode {
  const { state, matches, matchAt, inputRef, onChange, onStep } = props;
  const isFinding = state.find.trim() !== '';
  return (
    <div className="find">
      <input
        ref={inputRef}
        type="search"
        aria-label="Find in the trace"
        placeholder="Find in all fields"
        maxLength={256}
        value={state.find}
        onChange={(event) => onChange({ ...state, find: event.target.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
          if (event.key !== 'Escape') return;
          event.preventDefault(); // A search field would empty itself.
          event.currentTarget.blur();
        }}
      />
      <output className="num soft" aria-live="polite">
        {isFinding && `${matchAt < 0 ? '–' : matchAt + 1} / ${formatCount(matches.length)}`}
      </output>
      <kbd className="hint">f</kbd>
    </div>
  );
}
