import type { Exchange } from '../flow/exchange.ts';
import { isAddonError, KernelError } from '../kernel/kernel-error.ts';
import { openPackets } from '../kernel/packets.ts';
import { listNamespaces } from './namespaces.ts';
import { createNetwork, FLOWS_MAX, type Network } from './network.ts';
import type { NETWORK_SPANS, NetworkSpan } from './network-span.ts';

export interface NetworkSideOptions {
  readonly spans: (typeof NETWORK_SPANS)[number];
  readonly interfaces: readonly string[];
  readonly onSpan: (span: NetworkSpan) => void;
  /** Monotonic nanoseconds. */
  readonly now: () => number;
}

/** The part of an agent that looks at network interfaces. Without it the agent goes on. */
export interface NetworkSide {
  attach(): void;
  detach(): void;
  exchange(exchange: Exchange): void;
  drain(nowNs: number): void;
  /** Looks at once which interfaces there are. */
  follow(): void;
  setPaused(isPaused: boolean): void;
  /** Packets looked at since the start. */
  packets(): number;
  counters(): Record<string, number>;
  /** Why interfaces are not looked at that should be; '' when all are. */
  reason(): string;
}

/** A turn's record has 96 bytes: this ring holds 40,000. */
const RING_BYTES = 1 << 22;

export function createNetworkSide(options: NetworkSideOptions): NetworkSide {
  let network: Network | undefined;
  let refusal = '';
  /** What earlier attachments counted, so that totals never fall. */
  let earlier: Readonly<Record<string, number>> = {};
  let earlierPackets = 0;

  function attach(): void {
    if (options.spans === 'off' || network !== undefined) return;
    try {
      network = createNetwork({
        packets: openPackets({ ringBytes: RING_BYTES, flowsMax: FLOWS_MAX }),
        namespaces: listNamespaces,
        interfaces: options.interfaces,
        isAll: options.spans === 'all',
        onSpan: options.onSpan,
        now: options.now,
      });
      refusal = '';
    } catch (error) {
      if (!isAddonError(error) && !(error instanceof KernelError)) throw error;
      refusal = error.message;
    }
  }

  function totals(): Record<string, number> {
    const sums = { ...earlier };
    for (const [name, value] of Object.entries(network?.counters() ?? {})) {
      sums[name] = (sums[name] ?? 0) + value;
    }
    return sums;
  }

  const packets = (): number => earlierPackets + (network?.packets() ?? 0);

  return {
    attach,
    detach() {
      if (network === undefined) return;
      network.close();
      earlier = totals();
      earlierPackets = packets();
      network = undefined;
    },
    exchange: (exchange) => network?.exchange(exchange),
    drain: (nowNs) => network?.drain(nowNs),
    follow: () => network?.follow(),
    setPaused: (isPaused) => network?.setPaused(isPaused),
    packets,
    counters: () => ({ ...totals(), ...network?.gauges() }),
    reason() {
      const why = network?.reason() ?? refusal;
      return why === '' ? '' : `network spans: ${why}`;
    },
  };
}
