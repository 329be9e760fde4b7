/** Numbers and durations as PromQL writes them. */

const MS_OF_UNIT = [
  ['y', 31_536_000_000],
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const DURATION =
  /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Go holds a duration in 63 bits of nanoseconds: about 292 years. */
const DURATION_MS_MAX = 9_223_372_036_854;

/** Milliseconds, or the reason why not. Source: Prometheus docs, "Float literals and durations". */
export function parseDuration(text: string): number | { readonly reason: string } {
  const parts = text === '' ? null : DURATION.exec(text);
  if (parts === null) return { reason: `not a valid duration string: "${text}"` };
  const ms = MS_OF_UNIT.reduce((sum, [, unitMs], i) => sum + Number(parts[i + 1] ?? 0) * unitMs, 0);
  return ms > DURATION_MS_MAX ? { reason: 'duration out of range' } : ms;
}

/** The shortest text that `parseDuration` reads back; years and weeks only where they divide. */
export function formatDuration(durationMs: number): string {
  let rest = Math.abs(Math.round(durationMs));
  if (rest === 0) return '0s';
  let text = durationMs < 0 ? '-' : '';
  for (const [unit, unitMs] of MS_OF_UNIT) {
    if ((unit === 'y' || unit === 'w') && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}

/** As Go's ParseInt with base 0, then ParseFloat; undefined for what neither reads. */
export function parseNumber(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '').replaceAll('_', '');
  if (/^inf(inity)?$/i.test(body)) return sign * Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(body)) return Number.NaN;
  if (/^0[0-7]+$/.test(body)) return sign * Number.parseInt(body, 8);
  if (/^0x[0-9a-f]+$/i.test(body)) return sign * Number.parseInt(body.slice(2), 16);
  if (!/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(body)) return undefined;
  return sign * Number(body);
}

/** As Go prints a float in a message or a query (`%g`): exponent form below 1e-4 and from 1e6 on. */
export function formatFloat(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatPlain(value);
  const [mantissa = '', exponentText = ''] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return formatPlain(value);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Never an exponent: the form of sample values in Prometheus's HTTP API. */
export function formatPlain(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = '', lead = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  const digits = lead + fraction;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.padEnd(exponent + 1, '0')}`;
}
