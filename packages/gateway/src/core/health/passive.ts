import type { Node } from '../balance/balancer.ts';
import type { UpstreamFailure } from '../http/upstream-connection.ts';
import type { Upstream } from '../upstream.ts';
import { type PassiveCheck, passiveCheck } from './checks.ts';

/** Learns about nodes from the answers that requests got. */
export function createPassiveWatch(): (
  upstream: Upstream,
  node: Node,
  outcome: number | UpstreamFailure,
) => void {
  const checks = new WeakMap<Upstream, { readonly check: PassiveCheck | undefined }>();
  return (upstream, node, outcome) => {
    const { health } = upstream;
    if (health === undefined) return;
    const known = checks.get(upstream) ?? { check: passiveCheck(upstream.object.checks) };
    checks.set(upstream, known);
    const { check } = known;
    if (check === undefined) return;
    if (typeof outcome === 'number') {
      const reason = `status ${outcome}`;
      if (check.unhealthyStatuses.has(outcome)) {
        health.report(node, 'http_failure', check.thresholds, reason);
      } else if (check.healthyStatuses.has(outcome)) {
        health.report(node, 'success', check.thresholds, reason);
      }
      return;
    }
    const isLate = outcome === 'timeout' || outcome === 'connect-timeout';
    health.report(node, isLate ? 'timeout_failure' : 'tcp_failure', check.thresholds, outcome);
  };
}
