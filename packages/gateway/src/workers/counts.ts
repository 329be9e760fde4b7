/** What is counted, by name. */
export type Counts = Readonly<Record<string, number>>;

/** Sums of what two processes count. */
export function sumOf(counts: Counts, more: Counts): Counts {
  const sums = Object.entries(more).map(([name, count]) => [name, (counts[name] ?? 0) + count]);
  return { ...counts, ...Object.fromEntries(sums) };
}

/** What `Topic.fold` keeps of counts: those that `isKept` names, summed. */
export function foldCounts(
  before: unknown,
  last: unknown,
  isKept: (name: string) => boolean,
): Counts {
  const counts = Object.entries(last as Counts).filter(([name]) => isKept(name));
  return sumOf((before ?? {}) as Counts, Object.fromEntries(counts));
}
