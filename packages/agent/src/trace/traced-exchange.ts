import type { Exchange } from '../flow/exchange.ts';

/** An exchange with its identity and its parent, ready to become a row. */
export interface TracedExchange {
  readonly exchange: Exchange;
  readonly wireId: bigint;
  /** 0n when unknown. */
  readonly parentWireId: bigint;
  readonly probability: number;
  readonly evidence: number;
  readonly candidates: readonly { readonly wireId: bigint; readonly probability: number }[];
}
