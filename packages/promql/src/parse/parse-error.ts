import type { PositionRange } from './ast.ts';

/** What is wrong with a query text, in Prometheus's words. */
export interface ParseError {
  /** `line:column: parse error: …`, both from 1. */
  readonly message: string;
  readonly range: PositionRange;
  /** The text needs an experimental syntax that is off or not built here. */
  readonly isExperimental: boolean;
}

/** Thrown inside the parser only; `parsePromql` answers it as a value. */
export class ParseFault extends Error {
  override readonly name = 'ParseFault';
  readonly range: PositionRange;
  readonly isExperimental: boolean;

  constructor(range: PositionRange, message: string, isExperimental = false) {
    super(message);
    this.range = range;
    this.isExperimental = isExperimental;
  }
}

/** `line:column` of an offset, both from 1. */
export function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const lines = before.split('\n');
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

export const toParseError = (text: string, fault: ParseFault): ParseError => ({
  message: `${positionOf(text, fault.range.start)}: parse error: ${fault.message}`,
  range: fault.range,
  isExperimental: fault.isExperimental,
});
