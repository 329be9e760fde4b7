import type { ReactNode } from 'react';

interface Outcome {
  /** 0 where the protocol has no codes, or nothing was answered. */
  readonly status: number;
  readonly isError: boolean;
  readonly isAnswered: boolean;
}

/** The response code, tinted by its outcome. */
export function StatusBadge(outcome: Outcome): ReactNode {
  const { status, isError, isAnswered } = outcome;
  const isBad = !isAnswered || status >= 400;
  return (
    <span
      className={`badge badge-${isError ? 'error' : isBad ? 'warn' : 'good'}`}
      title={isAnswered ? '' : 'no response was seen'}
    >
      {statusText(outcome)}
    </span>
  );
}

function statusText({ status, isError, isAnswered }: Outcome): string {
  if (status !== 0) return String(status);
  if (!isAnswered) return 'none';
  return isError ? 'error' : 'ok';
}
