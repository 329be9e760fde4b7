/**
 * Takes turns by weight, smoothly: 2 and 1 of three go as a, b, a. Undefined when no weight is above
 * zero. Source: nginx's smooth weighted round robin, as `core/balance/round-robin.ts` has for nodes.
 */
export function createWeightedTurns<Item>(
  entries: readonly { readonly item: Item; readonly weight: number }[],
): () => Item | undefined {
  const turns = entries
    .filter(({ weight }) => weight > 0)
    .map((entry) => ({ ...entry, current: 0 }));
  const total = turns.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let best: (typeof turns)[number] | undefined;
    for (const turn of turns) {
      turn.current += turn.weight;
      if (best === undefined || turn.current > best.current) best = turn;
    }
    if (best === undefined) return undefined;
    best.current -= total;
    return best.item;
  };
}
