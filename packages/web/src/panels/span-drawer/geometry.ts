/** Fields whose name or value holds `text`. By name. */
export function filterFields(
  fields: Readonly<Record<string, string>>,
  text: string,
): readonly (readonly [string, string])[] {
  const wanted = text.trim().toLowerCase();
  return Object.entries(fields)
    .filter(([name, value]) => `${name}\n${value}`.toLowerCase().includes(wanted))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
