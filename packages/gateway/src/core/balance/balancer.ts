/** One place to send requests to. Its counters belong to the balancers and to health. */
export interface Node {
  /** As configured: a name or an address. */
  readonly host: string;
  /** What is connected to: an IP address. */
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly priority: number;
  /** `address:port`, the same for every copy of a node. */
  readonly key: string;
}

/** What a choice depends on besides the balancer's own state. */
export interface Ask {
  /** False for nodes that were tried already or are unhealthy. */
  isUsable(node: Node): boolean;
  /** What `chash` hashes. */
  hashKey(): string;
  readonly nowMs: number;
}

/** Chooses among nodes of one priority. */
export interface Balancer {
  /** Undefined when no node is usable. */
  pick(ask: Ask): Node | undefined;
  /** A request to `node` has begun; `end` follows exactly once. */
  begin?(node: Node): void;
  end?(node: Node, elapsedMs: number, nowMs: number): void;
}
