import { type ReactNode, type RefObject, useId } from 'react';
import { type Chip, chipsOf } from './query-language.ts';
import type { TracesState } from './state.ts';
import { Suggestions } from './suggestions.tsx';
import { useQueryInput } from './use-query-input.ts';

const PLACEHOLDER = 'Filter by service:, status:, duration:>10ms, path, trace id …';

interface QueryBarProps {
  readonly state: TracesState;
  readonly range: { readonly start: number; readonly end: number };
  readonly inputRef: RefObject<HTMLInputElement | null>;
  onChange(state: TracesState): void;
}

/**
 * One box for all filters: `field:value` with completion of real values, or free text. Filters
 * stand before the caret as chips; Backspace in the empty box takes the last one back to edit.
 */
export function QueryBar({ state, range, inputRef, onChange }: QueryBarProps): ReactNode {
  const listId = useId();
  const box = useQueryInput(state, range, onChange);
  const { input, isOpen, chosen, problem, suggestions } = box;
  const chips = chipsOf(state);
  const isListed = isOpen && problem === '' && suggestions.length > 0;
  return (
    <div className="query-bar">
      <Lens />
      <Chips chips={chips} onChange={onChange} />
      <input
        ref={inputRef}
        type="text"
        role="combobox"
        aria-label="Filter traces"
        aria-expanded={isListed}
        aria-controls={listId}
        aria-activedescendant={chosen >= 0 ? `${listId}-${chosen}` : undefined}
        aria-autocomplete="list"
        autoComplete="off"
        spellCheck={false}
        maxLength={256}
        placeholder={chips.length === 0 ? PLACEHOLDER : ''}
        value={input}
        onChange={(event) => box.edit(event.target.value)}
        onFocus={() => box.setOpen(true)}
        onBlur={() => box.setOpen(false)}
        onKeyDown={box.onKeyDown}
      />
      <kbd className="hint">/</kbd>
      {problem !== '' && (
        <p className="query-problem" role="alert">
          {problem}
        </p>
      )}
      {isListed && (
        <Suggestions listId={listId} suggestions={suggestions} chosen={chosen} onTake={box.take} />
      )}
    </div>
  );
}

function Lens(): ReactNode {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" className="soft">
      <path
        d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.5 10.5 14 14"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
      />
    </svg>
  );
}

interface ChipsProps {
  readonly chips: readonly Chip[];
  onChange(state: TracesState): void;
}

function Chips({ chips, onChange }: ChipsProps): ReactNode {
  return chips.map((chip) => (
    <span key={chip.input} className="chip">
      <span className="soft">{chip.field}</span>
      <span className="chip-value">{chip.value}</span>
      <button
        type="button"
        aria-label={`Remove ${chip.field} ${chip.value}`}
        onClick={() => onChange(chip.without)}
      >
        ✕
      </button>
    </span>
  ));
}
