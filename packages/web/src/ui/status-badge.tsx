import type { ReactNode } from 'react';

/** The response code, tinted by its outcome. 0 stands for no response. */
export function StatusBadge({ status, isError }: { status: number; isError: boolean }): ReactNode {
  const tone = isError ? 'error' : status >= 400 || status === 0 ? 'warn' : 'good';
  return (
    <span className={`badge badge-${tone}`} title={status === 0 ? 'no response was seen' : ''}>
      {status === 0 ? 'none' : status}
    </span>
  );
}
