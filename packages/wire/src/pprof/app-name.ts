/** The `name` of an upload: `app.event{label="value",…}` or, from newer clients, `app{…}`. */
export interface ProfileName {
  readonly app: string;
  readonly labels: readonly (readonly [key: string, value: string])[];
}

const LABELS_MAX = 128;
const NAME_LENGTH_MAX = 4_096;

/**
 * Reads the name that a Pyroscope client uploads under, or says why it is none. Values may be quoted;
 * those that are not end at a comma or the closing brace.
 */
export function readProfileName(text: string): ProfileName | string {
  if (text.length > NAME_LENGTH_MAX) return `name is longer than ${NAME_LENGTH_MAX}`;
  const open = text.indexOf('{');
  const app = (open < 0 ? text : text.slice(0, open)).trim();
  if (app === '') return 'name is missing';
  if (open < 0) return { app, labels: [] };
  const close = text.lastIndexOf('}');
  if (close < open || text.slice(close + 1).trim() !== '') return 'name has no closing }';
  const labels: (readonly [string, string])[] = [];
  const pair = /\s*([^=,{}"\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*))\s*(?:,|$)/y;
  const inner = text.slice(open + 1, close);
  while (pair.lastIndex < inner.length) {
    if (inner.slice(pair.lastIndex).trim() === '') break;
    const match = pair.exec(inner);
    if (match === null) return `name: labels are not key=value near ${inner.slice(0, 40)}`;
    if (labels.length === LABELS_MAX) return `name has more than ${LABELS_MAX} labels`;
    const quoted = match[2]?.replace(/\\(.)/g, '$1');
    labels.push([match[1] ?? '', quoted ?? (match[3] ?? '').trim()]);
  }
  return { app, labels };
}

/**
 * A point in time in seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart
 * by their size, as microseconds. Undefined when it is no number.
 */
export function readEpochUs(text: string): number | undefined {
  if (!/^\d{1,19}(\.\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  if (value < 1e11) return Math.trunc(value * 1e6);
  if (value < 1e14) return Math.trunc(value * 1e3);
  return value < 1e17 ? Math.trunc(value) : Math.trunc(value / 1e3);
}
