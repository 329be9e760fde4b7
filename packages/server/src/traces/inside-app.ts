import type { TreeRow } from './assemble.ts';
import type { NamedChain } from './span-ids.ts';

/** Of an exchange's time so much must lie within the span. */
const SHARE_MIN = 0.5;

/**
 * Calls that carry no ids, to databases say: where an SDK has a span for the call, the exchange hangs
 * inside it. It must be below the same request by evidence, ask in the same protocol, and be the only
 * span (of nested ones the innermost) that covers the exchange's time. Else the exchange stays.
 */
export function hangInsideApps<Row extends TreeRow, Chain extends NamedChain<Row>>(
  chains: readonly Chain[],
): void {
  const asking = new Map<NamedChain<Row>, NamedChain<Row>[]>();
  for (const chain of chains) {
    if (!chain.head.isApp || chain.head.observationPoint !== 'c-app') continue;
    const request = requestAbove(chain);
    if (request === undefined) continue;
    const others = asking.get(request);
    if (others === undefined) asking.set(request, [chain]);
    else others.push(chain);
  }
  if (asking.size === 0) return;
  for (const chain of chains) {
    if (chain.head.isApp || chain.isNamed || chain.parent === undefined) continue;
    const covering = (asking.get(chain.parent) ?? []).filter((app) => covers(app.head, chain.head));
    const innermost = covering.filter((app) => !covering.some(({ parent }) => parent === app));
    if (innermost.length === 1) chain.parent = innermost[0];
  }
}

/** The exchange that an SDK's span is below, with nothing but its like in between. */
function requestAbove<Row extends TreeRow>(chain: NamedChain<Row>): NamedChain<Row> | undefined {
  const passed = new Set<NamedChain<Row>>();
  let at: NamedChain<Row> | undefined = chain;
  while (at?.head.isApp === true && !passed.has(at)) {
    passed.add(at);
    at = at.parent;
  }
  return at?.head.isApp === true ? undefined : at;
}

function covers(span: TreeRow, exchange: TreeRow): boolean {
  if (span.protocol !== exchange.protocol) return false;
  const sharedUs = Math.min(span.endUs, exchange.endUs) - Math.max(span.startUs, exchange.startUs);
  return sharedUs >= SHARE_MIN * Math.max(1, exchange.endUs - exchange.startUs);
}
