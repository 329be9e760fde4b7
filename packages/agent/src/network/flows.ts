import { FLOW_KEY_SIZE } from '../kernel/events.gen.ts';
import { type FlowKey, readFlowKey } from './flow-key.ts';
import type { Turn, TurnSink } from './turn.ts';

/** What is known of a connection at one interface. */
export interface NetworkFlow extends FlowKey {
  readonly id: number;
  /** As the kernel's map has it. */
  readonly key: Uint8Array;
  /** Direction in which the client sends; 0 while unknown. */
  clientDirection: number;
  lastTurn: Turn | undefined;
}

export interface NetworkFlows {
  readonly turn: TurnSink;
  /**
   * A turn ends when the other side speaks. Ends those that nobody has answered for `idleNs` before
   * `nowNs`, as the kernel's map (`openTurn`) has them: the last answers of idle connections.
   */
  endIdle(nowNs: number, openTurn: (key: Uint8Array) => Turn | undefined): void;
  forgetAll(): void;
  counters(): { readonly open: number; readonly dropped: number };
}

export interface NetworkFlowsOptions {
  readonly flowsMax: number;
  /** A turn and the one before it, which the other side said. */
  readonly onPair: (flow: NetworkFlow, first: Turn, second: Turn) => void;
}

const IDLE_NS = 300e6;
/** Look-ups in the kernel a call. */
const LOOK_UPS_MAX = 512;

/** Puts turns in pairs, connection by connection. The longest unused connections are forgotten. */
export function createNetworkFlows({ flowsMax, onPair }: NetworkFlowsOptions): NetworkFlows {
  const flows = new Map<number, NetworkFlow>();
  /** Flows whose last turn may be followed by one that is still open, the longest idle first. */
  const waiting = new Map<NetworkFlow, number>();
  let dropped = 0;

  function flowOf(id: number, bytes: Uint8Array, keyAt: number): NetworkFlow {
    const found = flows.get(id);
    if (found !== undefined) return found;
    if (flows.size >= flowsMax) dropOldest();
    const flow = {
      ...readFlowKey(bytes, keyAt),
      id,
      key: bytes.slice(keyAt, keyAt + FLOW_KEY_SIZE),
      clientDirection: 0,
      lastTurn: undefined,
    };
    flows.set(id, flow);
    return flow;
  }

  function dropOldest(): void {
    const oldest = flows.values().next();
    if (oldest.done === true) return;
    flows.delete(oldest.value.id);
    waiting.delete(oldest.value);
    dropped += 1;
  }

  function take(flow: NetworkFlow, turn: Turn): void {
    const before = flow.lastTurn;
    // It was ended here already, before the kernel did.
    if (before?.sequence === turn.sequence && before.direction === turn.direction) return;
    flow.lastTurn = turn;
    if (turn.clientDirection !== 0) flow.clientDirection = turn.clientDirection;
    if (before === undefined || before.direction === turn.direction) return;
    if (flow.clientDirection !== 0 && before.direction !== flow.clientDirection) return;
    onPair(flow, before, turn);
  }

  return {
    turn(turn, bytes, keyAt) {
      const flow = flowOf(turn.flowId, bytes, keyAt);
      // To the end of the line.
      flows.delete(flow.id);
      flows.set(flow.id, flow);
      waiting.delete(flow);
      waiting.set(flow, turn.lastNs);
      take(flow, turn);
    },
    endIdle(nowNs, openTurn) {
      let lookUps = 0;
      for (const [flow, sinceNs] of waiting) {
        if (nowNs - sinceNs < IDLE_NS || lookUps >= LOOK_UPS_MAX) return;
        lookUps += 1;
        waiting.delete(flow);
        const open = openTurn(flow.key);
        if (open === undefined || open.flowId !== flow.id) continue;
        if (nowNs - open.lastNs < IDLE_NS) waiting.set(flow, open.lastNs);
        else take(flow, open);
      }
    },
    forgetAll() {
      flows.clear();
      waiting.clear();
    },
    counters: () => ({ open: flows.size, dropped }),
  };
}
