import { LINK_SHOWN, type Span } from '@thalweg/model';

/**
 * The spans with links below `threshold` taken away: what hung by one becomes a root of its own, and
 * its parent the first of its candidates. At `LINK_SHOWN` and below all stay as they are.
 */
export function cutWeakLinks(spans: readonly Span[], threshold: number): readonly Span[] {
  if (threshold <= LINK_SHOWN) return spans;
  const wireIds = new Map(spans.map(({ spanId, wireId }) => [spanId, wireId]));
  return spans.map((span) => {
    const { link, parentId } = span;
    if (link === null || parentId === null || link.probability >= threshold) return span;
    const parent = { wireId: wireIds.get(parentId) ?? '', probability: link.probability };
    const candidates = [parent, ...link.candidates].filter(({ wireId }) => wireId !== '');
    return { ...span, parentId: null, link: { ...link, probability: 0, evidence: [], candidates } };
  });
}

/** How many links hang by less than `threshold`. */
export function countWeakLinks(spans: readonly Span[], threshold: number): number {
  return spans.filter(
    ({ link, parentId }) => link !== null && parentId !== null && link.probability < threshold,
  ).length;
}
