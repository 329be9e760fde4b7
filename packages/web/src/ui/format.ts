const COUNT = new Intl.NumberFormat('en-US');
const SECOND_US = 1_000_000;

/** A number with three significant digits and no more than it needs: 1.23, 12.3, 123. */
function short(value: number): string {
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1).replace(/\.0$/, '');
  return value.toFixed(2).replace(/\.?0+$/, '');
}

/** Microseconds as people read them: `812 µs`, `12.3 ms`, `1.23 s`, `2 m 03 s`. */
export function formatDuration(us: number): string {
  const sign = us < 0 ? '−' : '';
  const abs = Math.abs(us);
  if (abs < 999.5) return `${sign}${short(abs)} µs`;
  if (abs < 999_500) return `${sign}${short(abs / 1_000)} ms`;
  if (abs < 60 * SECOND_US) return `${sign}${short(abs / SECOND_US)} s`;
  const seconds = Math.round(abs / SECOND_US);
  return `${sign}${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
}

/** `10ms`, `1.5s`, `300us`, `2m`; a bare number is milliseconds. Undefined where it is neither. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(us|µs|ms|s|m)?$/.exec(text.trim());
  if (match === null) return undefined;
  const scale = { us: 1, µs: 1, ms: 1_000, s: SECOND_US, m: 60 * SECOND_US }[match[2] ?? 'ms'] ?? 1;
  return Math.round(Number(match[1]) * scale);
}

/** The shortest spelling that `parseDuration` reads back to the same microseconds. */
export function spellDuration(us: number): string {
  if (us !== 0 && us % SECOND_US === 0) return `${us / SECOND_US}s`;
  return us % 10 === 0 ? `${us / 1_000}ms` : `${us}us`;
}

export function formatCount(value: number): string {
  return COUNT.format(value);
}

/** `1 span`, `2 spans`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A share as percent, never rounded up to a certainty that is not there. */
export function formatProbability(probability: number): string {
  if (probability >= 1) return '100%';
  return `${Math.min(99.9, Math.floor(probability * 1_000) / 10)}%`;
}

/** Local wall time with milliseconds: `14:03:27.512`. */
export function formatClock(us: number): string {
  const date = new Date(us / 1_000);
  const pad = (value: number, width: number): string => String(value).padStart(width, '0');
  return (
    `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}` +
    `.${pad(date.getMilliseconds(), 3)}`
  );
}

/** Local date and wall time: `2026-11-24 14:03:27.512`. */
export function formatDateTime(us: number): string {
  const date = new Date(us / 1_000);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${formatClock(us)}`;
}
