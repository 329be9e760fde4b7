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
