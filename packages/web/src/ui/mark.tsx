import type { ReactNode } from 'react';

/** The river line: a thalweg is the line of a valley's deepest points, where the water runs. */
export function Mark(): ReactNode {
  return (
    <svg className="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeLinecap="round">
        <path d="M3 6c5 0 4 6 9 6s4 6 9 6" strokeWidth="2.8" />
        <path
          d="M3 12.5c2.5 0 3.5 5 7 5M13.5 6.5c3.5 0 5 5 7.5 5"
          strokeWidth="1.4"
          opacity="0.5"
        />
      </g>
    </svg>
  );
}
