import type { Exchange } from '../flow/exchange.ts';
import type { NetworkFlow } from './flows.ts';
import { holds, type Turn } from './turn.ts';

/** Two turns at one interface: a request and its answer, if what is said first is the request. */
export interface TurnPair {
  readonly flow: NetworkFlow;
  readonly request: Turn;
  readonly response: Turn;
}

export interface Join {
  pair(pair: TurnPair): void;
  exchange(exchange: Exchange): void;
  /** Gives up what has waited longer than it should; `Infinity` at the end. */
  flush(nowNs: number): void;
  counters(): JoinCounters;
}

export interface JoinCounters {
  readonly joined: number;
  /** Pairs of turns that no process here told of: of other protocols, or passing by. */
  readonly others: number;
  /** Given up before their time, because too many waited. */
  readonly dropped: number;
  readonly waiting: number;
}

export interface JoinOptions {
  /** What waits at most, in requests. */
  readonly waitingMax?: number;
  /** Each pair once: with its exchange, or with `undefined` once none can come any more. */
  readonly onJoined: (pair: TurnPair, exchange: Exchange | undefined) => void;
}

interface Waiting {
  /** Of the flush after it came: however late this thread gets to run, both sides have been read. */
  sinceNs: number;
  exchange: Exchange | undefined;
  pairs: TurnPair[];
}

const WAITING_MAX = 16_384;
/** A process tells of an exchange when it is over; the last turn ends up to 0.6 s after that. */
const HOLD_NS = 2e9;

/**
 * Joins what interfaces saw to what processes told, by the sequence numbers of the request's first
 * byte (exact) and of the answer's (within its turn): NAT changes addresses, not these.
 */
export function createJoin({ waitingMax = WAITING_MAX, onJoined }: JoinOptions): Join {
  /** By the sequence number of the request's first byte, the oldest first. */
  const waiting = new Map<number, Waiting>();
  let fresh: Waiting[] = [];
  let [joined, others, dropped] = [0, 0, 0];

  function waitingAt(sequence: number): Waiting {
    const found = waiting.get(sequence);
    if (found !== undefined) return found;
    if (waiting.size >= waitingMax) {
      const oldest = waiting.entries().next();
      if (oldest.done !== true) {
        dropped += 1;
        giveUp(...oldest.value);
      }
    }
    const one: Waiting = { sinceNs: Infinity, exchange: undefined, pairs: [] };
    waiting.set(sequence, one);
    fresh.push(one);
    return one;
  }

  function giveUp(sequence: number, { pairs }: Waiting): void {
    waiting.delete(sequence);
    for (const pair of pairs) {
      others += 1;
      onJoined(pair, undefined);
    }
  }

  /** Answers whether the pair is of the exchange; it is told of then. */
  function tell(pair: TurnPair, exchange: Exchange): boolean {
    const { response } = exchange;
    if (response === undefined || !holds(pair.response, response.sequence)) return false;
    joined += 1;
    onJoined(pair, exchange);
    return true;
  }

  return {
    pair(pair) {
      const at = waitingAt(pair.request.sequence);
      if (at.exchange === undefined || !tell(pair, at.exchange)) at.pairs.push(pair);
    },
    exchange(exchange) {
      if (exchange.kind !== 'session' || exchange.request === undefined) return;
      const at = waitingAt(exchange.request.sequence);
      // Client and server tell of one exchange: once is enough.
      if (at.exchange !== undefined) return;
      at.exchange = exchange;
      at.pairs = at.pairs.filter((pair) => !tell(pair, exchange));
    },
    flush(now) {
      for (const one of fresh) one.sinceNs = now;
      fresh = [];
      for (const [sequence, one] of waiting) {
        if (now - one.sinceNs < HOLD_NS) return;
        giveUp(sequence, one);
      }
    },
    counters: () => ({ joined, others, dropped, waiting: waiting.size }),
  };
}
