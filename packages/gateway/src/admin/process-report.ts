import type { Upstream } from '../core/upstream.ts';
import { type Counts, foldCounts, sumOf } from '../workers/counts.ts';
import type { Hub } from '../workers/hub.ts';

/** An upstream whose nodes are checked, as the control API shows it. */
export interface UpstreamHealth {
  readonly name: string;
  readonly type: string;
  readonly nodes: readonly Readonly<Record<string, unknown>>[];
}

/** What the control API says of all processes of the gateway. */
export interface ProcessReport {
  health(): Promise<readonly UpstreamHealth[]>;
  counters(): Promise<Counts>;
}

export interface ProcessReportParts {
  readonly hub: Hub;
  upstreams(): readonly Upstream[];
  counters(): Counts;
}

const HEALTH = 'upstream health';
const COUNTERS = 'counters';
/** What is so at this moment: all else counts since the start. */
const MOMENTARY = new Set(['active', 'waiting']);

/** Opened in every process, so that each answers for itself. */
export function openProcessReport({ hub, upstreams, counters }: ProcessReportParts): ProcessReport {
  hub.topic(HEALTH, {
    answer: () =>
      upstreams()
        .filter(({ health }) => health !== undefined)
        .map(healthOf),
  });
  hub.topic(COUNTERS, {
    answer: counters,
    fold: (before, last) => foldCounts(before, last, (name) => !MOMENTARY.has(name)),
  });
  return {
    async health() {
      const all = ((await hub.ask(HEALTH)) as readonly (readonly UpstreamHealth[])[]).flat();
      return [...new Map(all.map((one) => [one.name, one])).values()];
    },
    counters: async () => ((await hub.ask(COUNTERS)) as readonly Counts[]).reduce(sumOf),
  };
}

function healthOf({ name, health, nodes, object }: Upstream): UpstreamHealth {
  const checks = object.checks as { readonly active?: { readonly type?: string } } | undefined;
  return {
    name,
    type: checks?.active?.type ?? 'http',
    nodes: nodes().map((node) => {
      const known = health?.of(node);
      return {
        ip: node.address,
        port: node.port,
        hostname: node.host,
        status: known?.state ?? 'healthy',
        counter: known?.counters ?? {},
        ...(known?.reason === undefined ? {} : { reason: known.reason }),
      };
    }),
  };
}
