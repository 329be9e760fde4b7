import { type KeyboardEvent, type ReactNode, type RefObject, useId, useState } from 'react';
import { useValues } from '../../data/queries.ts';
import { formatCount } from '../../ui/format.ts';
import { addToken, chipsOf, FIELDS, parseToken } from './query-language.ts';
import type { TracesState } from './state.ts';

interface Suggestion {
  readonly input: string;
  readonly note: string;
  /** A field's name only opens its values. */
  readonly isWhole: boolean;
}

const FIELD_NOTES: Record<(typeof FIELDS)[number], string> = {
  service: 'service of the observed process',
  endpoint: 'route, such as /orders/{id}',
  method: 'GET, POST, …',
  status: 'error, 4xx, 5xx or a code',
  duration: '>10ms, <2s, 10ms..2s',
};
const STATUS_CLASSES = ['error', '4xx', '5xx'];
const DURATIONS = ['>1ms', '>10ms', '>100ms', '>1s'];

interface QueryBarProps {
  readonly state: TracesState;
  readonly range: { readonly start: number; readonly end: number };
  readonly inputRef: RefObject<HTMLInputElement | null>;
  onChange(state: TracesState): void;
}

function useSuggestions(input: string, range: QueryBarProps['range']): readonly Suggestion[] {
  const { field, value } = parseToken(input);
  const asked = field === 'duration' ? undefined : field;
  const { data } = useValues(asked, value, range);
  if (field === undefined) {
    return FIELDS.filter((name) => name.startsWith(value.toLowerCase())).map((name) => ({
      input: `${name}:`,
      note: FIELD_NOTES[name],
      isWhole: false,
    }));
  }
  const fixed = field === 'status' ? STATUS_CLASSES : field === 'duration' ? DURATIONS : [];
  const found = asked === undefined ? [] : (data?.values ?? []);
  return [
    ...fixed
      .filter((name) => name.startsWith(value))
      .map((name) => ({ input: `${field}:${name}`, note: '', isWhole: true })),
    ...found
      .filter((entry) => entry.value.toLowerCase().startsWith(value.toLowerCase()))
      .map((entry) => ({
        input: `${field}:${entry.value}`,
        note: formatCount(entry.count),
        isWhole: true,
      })),
  ];
}

/**
 * One box for all filters: `field:value` with completion of real values, or free text. Filters
 * stand before the caret as chips; Backspace in the empty box takes the last one back to edit.
 */
export function QueryBar({ state, range, inputRef, onChange }: QueryBarProps): ReactNode {
  const listId = useId();
  const [input, setInput] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [problem, setProblem] = useState('');
  const suggestions = useSuggestions(input, range);
  const chips = chipsOf(state);

  const edit = (text: string): void => {
    setInput(text);
    setChosen(-1);
    setProblem('');
    setOpen(true);
  };
  const submit = (text: string): void => {
    const next = addToken(state, text);
    if (typeof next === 'string') {
      setProblem(next);
      return;
    }
    setInput('');
    setChosen(-1);
    setOpen(false);
    if (next !== state) onChange(next);
  };
  const take = ({ input: text, isWhole }: Suggestion): void =>
    isWhole ? submit(text) : edit(text);
  const onKeyDown = (event: KeyboardEvent): void => {
    const suggestion = isOpen ? suggestions[chosen] : undefined;
    const count = suggestions.length;
    if (event.key === 'ArrowDown' && count > 0) setChosen((chosen + 1) % count);
    else if (event.key === 'ArrowUp' && count > 0)
      setChosen((Math.max(chosen, 0) + count - 1) % count);
    else if (event.key === 'Tab' && isOpen && input !== '' && suggestions[0] !== undefined) {
      take(suggestion ?? suggestions[0]);
    } else if (event.key === 'Enter') suggestion === undefined ? submit(input) : take(suggestion);
    else if (event.key === 'Escape') isOpen && input !== '' ? edit('') : inputRef.current?.blur();
    else if (event.key === 'Backspace' && input === '') {
      const last = chips.at(-1);
      if (last === undefined) return;
      onChange(last.without);
      edit(last.input);
    } else return;
    setOpen(
      event.key !== 'Escape' && event.key !== 'Enter' ? true : isOpenAfter(event.key, suggestion),
    );
    event.preventDefault();
  };
  return (
    <div className="query-bar">
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" className="soft">
        <path
          d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.5 10.5 14 14"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.4"
        />
      </svg>
      {chips.map((chip) => (
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
      ))}
      <input
        ref={inputRef}
        type="text"
        role="combobox"
        aria-label="Filter traces"
        aria-expanded={isOpen && suggestions.length > 0}
        aria-controls={listId}
        aria-activedescendant={chosen >= 0 ? `${listId}-${chosen}` : undefined}
        aria-autocomplete="list"
        autoComplete="off"
        spellCheck={false}
        maxLength={256}
        placeholder={
          chips.length === 0 ? 'Filter by service:, status:, duration:>10ms, path, trace id …' : ''
        }
        value={input}
        onChange={(event) => edit(event.target.value)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <kbd className="hint">/</kbd>
      {problem !== '' && (
        <p className="query-problem" role="alert">
          {problem}
        </p>
      )}
      {isOpen && problem === '' && suggestions.length > 0 && (
        <div className="suggestions" role="listbox" id={listId} aria-label="Completions">
          {suggestions.map((suggestion, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the box's own keys choose and take.
            <div
              key={suggestion.input}
              id={`${listId}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => take(suggestion)}
            >
              <span>{suggestion.input}</span>
              <span className="soft num">{suggestion.note}</span>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

/** After Enter the list stays only where a field's name was taken and its values come next. */
function isOpenAfter(key: string, suggestion: Suggestion | undefined): boolean {
  return key === 'Enter' && suggestion !== undefined && !suggestion.isWhole;
}
