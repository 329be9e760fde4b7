import type { ReactNode } from 'react';
import { ApiFailure } from '../data/api.ts';

interface MessageProps {
  readonly title: string;
  readonly tone?: 'plain' | 'error';
  readonly children?: ReactNode;
}

/** What stands where data would: why there is none, and what to do next. */
export function Message({ title, tone = 'plain', children }: MessageProps): ReactNode {
  return (
    <div className={`message message-${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

interface FailureProps {
  readonly title: string;
  readonly error: Error;
  onRetry(): void;
}

/** Text with what stands between backticks as code. */
function withCode(text: string): ReactNode {
  return text.split('`').map((part, at) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence never change places.
    at % 2 === 1 ? <code key={at}>{part}</code> : part,
  );
}

/** A failed query: what failed, its code, and the fix that the server names. */
export function FailureMessage({ title, error, onRetry }: FailureProps): ReactNode {
  const { code, fix } =
    error instanceof ApiFailure ? error : { code: 'browser', fix: 'reload the page' };
  return (
    <Message title={title} tone="error">
      <p>
        {error.message} <code>{code}</code>
      </p>
      <p>Next: {fix === undefined ? 'try again; the server’s log tells more' : withCode(fix)}</p>
      <p>
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      </p>
    </Message>
  );
}

/** Grey lines in the shape of what is coming. */
export function Skeleton({ rows, label }: { rows: number; label: string }): ReactNode {
  return (
    <div className="skeleton" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike and never move.
        <div key={row} style={{ width: `${95 - ((row * 37) % 50)}%` }} />
      ))}
    </div>
  );
}
