import type { ReactNode } from 'react';
import { useValues } from '../../data/queries.ts';
import { formatCount } from '../../ui/format.ts';
import { FIELDS, parseToken } from './query-language.ts';

export interface Suggestion {
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

/** What may come next: names of fields, then real values with their counts. */
export function useSuggestions(
  input: string,
  range: { readonly start: number; readonly end: number },
): readonly Suggestion[] {
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

interface SuggestionsProps {
  readonly listId: string;
  readonly suggestions: readonly Suggestion[];
  readonly chosen: number;
  onTake(suggestion: Suggestion): void;
}

/** The list below the box. The focus stays in the box. */
export function Suggestions({ listId, suggestions, chosen, onTake }: SuggestionsProps): ReactNode {
  return (
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
          onClick={() => onTake(suggestion)}
        >
          <span>{suggestion.input}</span>
          <span className="soft num">{suggestion.note}</span>
        </div>
      ))}
    </div>
  );
}
