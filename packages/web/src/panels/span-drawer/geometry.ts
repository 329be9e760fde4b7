import { OBSERVATION_POINTS, type Span } from '@thalweg/model';

export interface Hop {
  readonly span: Span;
  readonly durationUs: number;
  /** How long after the first point this one saw the request, in µs. Clocks may disagree. */
  readonly startsAfterUs: number;
  /** Time that passed between the point before and this one, both ways; undefined for the first. */
  readonly spentBeforeUs: number | undefined;
  /** Share of the longest duration, for the bar. */
  readonly share: number;
}

function rank(span: Span): number {
  const at = (OBSERVATION_POINTS as readonly string[]).indexOf(span.observationPoint); // Widens.
  return at < 0 ? OBSERVATION_POINTS.length : at;
}

/** All points that saw one exchange, from client to server, and what each leg cost. */
export function hopsOf(spans: readonly Span[], wireId: string): readonly Hop[] {
  const seen = spans
    .filter((span) => span.wireId === wireId)
    .sort((a, b) => rank(a) - rank(b) || b.endUs - b.startUs - (a.endUs - a.startUs));
  const longest = seen.reduce((most, span) => Math.max(most, span.endUs - span.startUs), 1);
  return seen.map((span, index) => {
    const before = seen[index - 1];
    const durationUs = span.endUs - span.startUs;
    return {
      span,
      durationUs,
      startsAfterUs: span.startUs - (seen[0]?.startUs ?? span.startUs),
      spentBeforeUs: before === undefined ? undefined : before.endUs - before.startUs - durationUs,
      share: durationUs / longest,
    };
  });
}

/** Fields whose name or value holds `text`. Empty values and zeros come last, else by name. */
export function filterFields(
  fields: Readonly<Record<string, string>>,
  text: string,
): readonly (readonly [string, string])[] {
  const wanted = text.trim().toLowerCase();
  const isBare = (value: string): boolean => value === '' || value === '0' || value === '[]';
  return Object.entries(fields)
    .filter(([name, value]) => `${name}\n${value}`.toLowerCase().includes(wanted))
    .sort(([a, x], [b, y]) => Number(isBare(x)) - Number(isBare(y)) || (a < b ? -1 : 1));
}
