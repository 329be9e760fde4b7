const RFC_3339 =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?\s?([Zz]|[+-]\d\d:?\d\d)?$/;

/**
 * Microseconds since the epoch from an RFC 3339 text (without a zone: UTC) or from a number, or a
 * text of digits, of seconds, milliseconds, microseconds or nanoseconds, told apart by its size.
 */
export function readTimestampUs(value: unknown): number | undefined {
  if (typeof value === 'number') return epochUs(value);
  if (typeof value !== 'string' || value.length > 40) return undefined;
  if (/^\d{9,19}(\.\d+)?$/.test(value)) return epochUs(Number(value));
  const [, day, clock, fraction = '', zone = 'Z'] = RFC_3339.exec(value) ?? [];
  if (day === undefined) return undefined;
  const offset = zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2').toUpperCase();
  const ms = Date.parse(`${day}T${clock}${offset}`);
  return Number.isNaN(ms) ? undefined : ms * 1e3 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/** From 1973 to 5138 the sizes of the four units do not overlap. */
function epochUs(value: number): number | undefined {
  if (!(value >= 1e8 && value < 1e20)) return undefined;
  if (value < 1e11) return Math.round(value * 1e6);
  if (value < 1e14) return Math.round(value * 1e3);
  return value < 1e17 ? Math.trunc(value) : Math.trunc(value / 1e3);
}
