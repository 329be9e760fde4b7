import type { ReactNode } from 'react';
import { formatCount, formatDuration } from '../../ui/format.ts';
import type { ServiceTotal } from '../trace-tree/tree.ts';

interface LegendProps {
  readonly totals: readonly ServiceTotal[];
  readonly colors: ReadonlyMap<string, string>;
  /** The service that alone is lit; empty for all. */
  readonly lit: string;
  onLit(service: string): void;
}

/** Services of the trace: colour, self time and its share, spans, errors. A press lights one. */
export function Legend({ totals, colors, lit, onLit }: LegendProps): ReactNode {
  const allUs = Math.max(
    1,
    totals.reduce((sum, total) => sum + total.selfUs, 0),
  );
  return (
    <ul className="legend" aria-label="Services by self time">
      {totals.map(({ service, spans, errors, selfUs }) => (
        <li key={service}>
          <button
            type="button"
            aria-pressed={lit === service}
            title={`${service}: self time ${formatDuration(selfUs)} in ${formatCount(spans)} spans`}
            onClick={() => onLit(lit === service ? '' : service)}
          >
            <i className="swatch" style={{ background: colors.get(service) }} />
            <span>{service}</span>
            <span className="num soft">
              {formatDuration(selfUs)} · {Math.round((selfUs / allUs) * 100)}%
            </span>
            {errors > 0 && <span className="badge badge-error">{errors} ✕</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}
