// Names of Prometheus for OpenTelemetry's. Source: OpenTelemetry, "Prometheus and OpenMetrics
// Compatibility", Metric Metadata; UCUM's units in Prometheus's words.

const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
};
const PER: Readonly<Record<string, string>> = {
  s: 'second',
  min: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

/** The unit as a part of a name; '' for none, for `1` and for annotations (`{request}`). */
export function unitName(unit: string): string {
  const plain = unit.replace(/\{[^}]*\}/g, '').trim();
  const [main = '', per = ''] = plain.split('/');
  const first = main === '' || main === '1' ? '' : (UNITS[main] ?? words(main));
  const second = per === '' ? '' : (PER[per] ?? words(per));
  if (second === '') return first;
  return first === '' ? `per_${second}` : `${first}_per_${second}`;
}

/** `http.server.duration`, `ms`, gauge → `http_server_duration_milliseconds`. */
export function metricName(
  name: string,
  unit: string,
  kind: { readonly isCounter: boolean; readonly isGauge: boolean },
): string {
  let result = words(name);
  const suffix = unit === '1' && kind.isGauge ? 'ratio' : unitName(unit);
  const total = '_total';
  const hadTotal = kind.isCounter && result.endsWith(total);
  if (hadTotal) result = result.slice(0, -total.length);
  if (suffix !== '' && !`_${result}_`.includes(`_${suffix}_`)) result = `${result}_${suffix}`;
  if (kind.isCounter) result += total;
  return /^\d/.test(result) ? `_${result}` : result;
}

export function labelName(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_]/g, '_');
  if (/^\d/.test(plain)) return `key_${plain}`;
  return plain.startsWith('__') ? `key${plain}` : plain;
}

/** What Prometheus does not have in names becomes one `_`. */
function words(text: string): string {
  return text
    .replace(/[^a-zA-Z0-9_:]+/g, '_')
    .replace(/_{2,}/g, '_')
    .replace(/^_|_$/g, '');
}
