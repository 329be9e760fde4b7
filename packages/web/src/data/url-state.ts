import { useCallback, useEffect, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'react-router';

/** Browsers refuse more than some 200 changes of the address in 10 s; held keys make more. */
const WRITE_MS = 120;

export interface UrlState<T> {
  readonly state: T;
  /** The newest state, also between two renders. */
  readonly latest: { readonly current: T };
  /** `push` makes a step that Back undoes; `replace` follows within a moment and makes none. */
  change(next: T, how: 'push' | 'replace'): void;
}

/** State whose home is the URL's query. `read` and `write` must be inverse, and stable. */
export function useUrlState<T>(
  read: (params: URLSearchParams) => T,
  write: (state: T) => URLSearchParams,
): UrlState<T> {
  const [params, setParams] = useSearchParams();
  const location = useLocation();
  const text = params.toString();
  const [state, setState] = useState(() => read(params));
  const latest = useRef(state);
  const known = useRef(text);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const origin = useRef({ setParams, carried: location.state as unknown }); // Typed any there.
  useEffect(() => {
    origin.current = { setParams, carried: location.state };
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (text === known.current) return;
    // Back, Forward or a link: the URL speaks.
    clearTimeout(timer.current);
    known.current = text;
    latest.current = read(new URLSearchParams(text));
    setState(latest.current);
  }, [text, read]);
  const change = useCallback(
    (next: T, how: 'push' | 'replace') => {
      latest.current = next;
      setState(next);
      clearTimeout(timer.current);
      const put = (): void => {
        const target = write(latest.current);
        if (target.toString() === known.current) return;
        known.current = target.toString();
        const { carried } = origin.current;
        origin.current.setParams(target, { replace: how === 'replace', state: carried });
      };
      if (how === 'push') put();
      else timer.current = setTimeout(put, WRITE_MS);
    },
    [write],
  );
  return { state, latest, change };
}
