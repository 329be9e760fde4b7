import type { Exchange } from '../flow/exchange.ts';
import { PACKET_EGRESS, PACKET_INGRESS } from '../kernel/events.gen.ts';
import type { Packets } from '../kernel/packets.ts';
import { createNetworkFlows, type NetworkFlow } from './flows.ts';
import { createInterfaceWatch } from './interface-watch.ts';
import { createJoin, type TurnPair } from './join.ts';
import type { Namespace } from './namespaces.ts';
import type { NetworkSpan, WireView } from './network-span.ts';
import { positionOf } from './position.ts';

export interface Network {
  /** What a process told. */
  exchange(exchange: Exchange): void;
  /** Takes what the interfaces saw since the last call. */
  drain(nowNs: number): void;
  /** Looks at once which interfaces there are; else it does so every few seconds. */
  follow(): void;
  setPaused(isPaused: boolean): void;
  /** Packets looked at: one of the counters, cheap enough for every drain. */
  packets(): number;
  /** What only grows. */
  counters(): Record<string, number>;
  /** What is held now. */
  gauges(): Record<string, number>;
  /** Why an interface is not looked at; '' when all are. */
  reason(): string;
  close(): void;
}

export interface NetworkOptions {
  readonly packets: Packets;
  readonly namespaces: () => readonly Namespace[];
  readonly interfaces: readonly string[];
  /** Also of turns that no process here told of. */
  readonly isAll: boolean;
  readonly onSpan: (span: NetworkSpan) => void;
  /** Monotonic nanoseconds. */
  readonly now: () => number;
}

export const FLOWS_MAX = 32_768;
const FOLLOW_NS_MIN = 1e9;
const FOLLOW_NS_MAX = 5e9;
/** Looking for interfaces takes about this share of the time where there are many processes. */
const FOLLOW_SHARE = 0.01;
const IDLE_EVERY_NS = 100e6;

/** Looks at the chosen interfaces, follows those that come and go, and makes network spans. */
export function createNetwork(options: NetworkOptions): Network {
  const { packets, isAll, onSpan } = options;
  const views = {
    told: new WeakMap<NetworkFlow, WireView>(),
    other: new WeakMap<NetworkFlow, WireView>(),
  };
  const watch = createInterfaceWatch({
    source: packets,
    namespaces: options.namespaces,
    names: options.interfaces,
  });
  const join = createJoin({
    onJoined(pair, exchange) {
      // Of a connection whose beginning was not seen it is not known who asks.
      if (exchange === undefined && (!isAll || pair.flow.clientDirection === 0)) return;
      const { flow, request, response } = pair;
      onSpan({ view: viewOf(pair, exchange?.connection.protocol), request, response, exchange });
      flow.clientDirection = request.direction;
    },
  });
  const flows = createNetworkFlows({
    flowsMax: FLOWS_MAX,
    onPair: (flow, request, response) => join.pair({ flow, request, response }),
  });
  let followAtNs = 0;
  let idleAtNs = 0;
  let isPaused = false;

  function viewOf({ flow, request }: TurnPair, protocol: WireView['protocol']): WireView {
    const of = protocol === undefined ? views.other : views.told;
    const known = of.get(flow);
    if (known !== undefined) return known;
    const isClientNear = request.direction === PACKET_EGRESS;
    const [clientIp, serverIp] = isClientNear
      ? [flow.nearIp, flow.farIp]
      : [flow.farIp, flow.nearIp];
    const view = {
      flowId: flow.id,
      netns: flow.netns,
      interfaceName: watch.nameOf(flow.netns, flow.ifindex),
      point: positionOf({
        ...watch.positionOf(flow.netns, clientIp, serverIp),
        isRequestIngress: request.direction === PACKET_INGRESS,
      }),
      clientIp,
      clientPort: isClientNear ? flow.nearPort : flow.farPort,
      serverIp,
      serverPort: isClientNear ? flow.farPort : flow.nearPort,
      vlan: request.vlan,
      protocol,
    };
    of.set(flow, view);
    return view;
  }

  function follow(): void {
    const beganNs = options.now();
    watch.follow();
    const tookNs = options.now() - beganNs;
    followAtNs = beganNs + Math.min(FOLLOW_NS_MAX, Math.max(FOLLOW_NS_MIN, tookNs / FOLLOW_SHARE));
  }

  return {
    exchange: join.exchange,
    follow,
    drain(nowNs) {
      if (nowNs >= followAtNs) follow();
      packets.drain(flows.turn);
      if (!isPaused && nowNs >= idleAtNs) {
        idleAtNs = nowNs + IDLE_EVERY_NS;
        flows.endIdle(nowNs, packets.openTurn);
      }
      join.flush(nowNs);
    },
    setPaused(paused) {
      isPaused = paused;
      packets.setPaused(paused);
      if (!paused) return;
      packets.drain(flows.turn);
      flows.forgetAll();
    },
    packets: packets.seen,
    counters: () => {
      const { waiting: _, ...joined } = join.counters();
      return { ...packets.counters(), ...joined, flows_dropped: flows.counters().dropped };
    },
    gauges: () => ({
      ...watch.gauges(),
      waiting: join.counters().waiting,
      flows_open: flows.counters().open,
    }),
    reason: watch.reason,
    close() {
      packets.drain(flows.turn);
      flows.endIdle(Infinity, packets.openTurn);
      join.flush(Infinity);
      watch.close();
      packets.close();
    },
  };
}
