import { necessaryCondition } from '../traceql/necessary.ts';
import { parseTraceql } from '../traceql/parse.ts';
import { TraceqlError } from '../traceql/tokens.ts';
import type { RowFilter } from '../traces/filter.ts';

const ALL: RowFilter = { where: '1', params: {} };

/**
 * What completion narrows by: a query that is being written, so it need not be right. Of one that
 * does not parse, the conditions that do; of none, all rows. Source: Tempo's documentation, "Filtered
 * tag values".
 */
export function narrowing(query: string | undefined): RowFilter {
  if (query === undefined || query.trim() === '') return ALL;
  const whole = conditionOf(query);
  if (whole !== undefined) return whole;
  const inner = /^\s*\{(.*?)\}?\s*$/s.exec(query)?.[1] ?? '';
  if (inner.includes('||')) return ALL;
  const parts = inner.split('&&').map((part) => part.trim());
  const kept = parts.filter((part) => part !== '' && conditionOf(`{ ${part} }`) !== undefined);
  return (kept.length === 0 ? undefined : conditionOf(`{ ${kept.join(' && ')} }`)) ?? ALL;
}

function conditionOf(query: string): RowFilter | undefined {
  try {
    return necessaryCondition(parseTraceql(query));
  } catch (error) {
    if (error instanceof TraceqlError) return undefined;
    throw error;
  }
}
