/** What is counted, by name. */
export type Counts = Readonly<Record<string, number>>;

/** Sums of what two processes count. */
export function sumOf(counts: Counts, more: Counts): Counts {
  const sums = Object.entries(more).map(([name, count]) => [name, (counts[name] ?? 0) + count]);
  return { ...counts, ...Object.fromEntries(sums) };
}
