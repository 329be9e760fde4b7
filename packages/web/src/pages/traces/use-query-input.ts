import { type KeyboardEvent, useState } from 'react';
import { addToken, chipsOf } from './query-language.ts';
import type { TracesState } from './state.ts';
import { type Suggestion, useSuggestions } from './suggestions.tsx';

interface QueryInput {
  readonly input: string;
  readonly isOpen: boolean;
  /** Place of the suggestion that Enter takes; −1 for what is typed. */
  readonly chosen: number;
  readonly problem: string;
  readonly suggestions: readonly Suggestion[];
  setOpen(isOpen: boolean): void;
  edit(text: string): void;
  take(suggestion: Suggestion): void;
  onKeyDown(event: KeyboardEvent<HTMLInputElement>): void;
}

/** What the filter box holds, and what its keys do. */
export function useQueryInput(
  state: TracesState,
  range: { readonly start: number; readonly end: number },
  onChange: (state: TracesState) => void,
): QueryInput {
  const [input, setInput] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [problem, setProblem] = useState('');
  const suggestions = useSuggestions(input, range);
  const put = (text: string, isListOpen: boolean): void => {
    setInput(text);
    setChosen(-1);
    setProblem('');
    setOpen(isListOpen);
  };
  const edit = (text: string): void => put(text, true);
  const submit = (text: string): void => {
    const next = addToken(state, text);
    if (typeof next === 'string') {
      setProblem(next);
      return;
    }
    put('', false);
    if (next !== state) onChange(next);
  };
  const take = (taken: Suggestion): void =>
    taken.isWhole ? submit(taken.input) : edit(taken.input);
  const choose = (by: number): void => {
    const count = suggestions.length;
    setOpen(true);
    if (count > 0)
      setChosen(by > 0 ? (chosen + 1) % count : (Math.max(chosen, 0) + count - 1) % count);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const suggestion = isOpen ? suggestions[chosen] : undefined;
    const first = isOpen && input !== '' ? suggestions[0] : undefined;
    const last = input === '' ? chipsOf(state).at(-1) : undefined;
    if (event.key === 'ArrowDown') choose(1);
    else if (event.key === 'ArrowUp') choose(-1);
    else if (event.key === 'Tab' && first !== undefined) take(suggestion ?? first);
    else if (event.key === 'Enter') suggestion === undefined ? submit(input) : take(suggestion);
    else if (event.key === 'Escape') {
      if (input === '') event.currentTarget.blur();
      put('', false);
    } else if (event.key === 'Backspace' && last !== undefined) {
      onChange(last.without);
      edit(last.input);
    } else return;
    event.preventDefault();
  };
  return { input, isOpen, chosen, problem, suggestions, setOpen, edit, take, onKeyDown };
}
