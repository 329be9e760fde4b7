import { type ReactNode, useEffect, useState } from 'react';

const SHOWN_MS = 1_200;

/** Copies `text`; says for a moment whether it could. */
export function CopyButton({ text, label }: { text: string; label: string }): ReactNode {
  const [outcome, setOutcome] = useState<'copied' | 'failed' | undefined>(undefined);
  useEffect(() => {
    if (outcome === undefined) return;
    const timer = setTimeout(() => setOutcome(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = (): void => {
    // The clipboard is absent on pages that came by plain HTTP from another machine.
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('absent'));
    written.then(
      () => setOutcome('copied'),
      () => setOutcome('failed'),
    );
  };
  return (
    <button type="button" className="copy" aria-label={label} title={label} onClick={copy}>
      {outcome === undefined && (
        <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
          <path d="M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z" fill="none" stroke="currentColor" />
        </svg>
      )}
      {outcome === 'copied' && <span role="status">copied</span>}
      {outcome === 'failed' && <span role="status">select and press Ctrl+C</span>}
    </button>
  );
}
