/** What became of streams: shown by prometheus. */
export interface StreamCounters {
  /** `listen` is the address and port that the client came to. */
  opened(routeId: string, listen: string): void;
  closed(listen: string): void;
  /** Datagrams that no session took. */
  dropped(): void;
  /** Sessions since the start by route. */
  readonly totals: ReadonlyMap<string, number>;
  /** Sessions now, by address and port. */
  readonly active: ReadonlyMap<string, number>;
  droppedTotal(): number;
}

export function createStreamCounters(): StreamCounters {
  const totals = new Map<string, number>();
  const active = new Map<string, number>();
  let dropped = 0;
  return {
    totals,
    active,
    opened(routeId, listen) {
      active.set(listen, (active.get(listen) ?? 0) + 1);
      totals.set(routeId, (totals.get(routeId) ?? 0) + 1);
    },
    closed(listen) {
      active.set(listen, (active.get(listen) ?? 0) - 1);
    },
    dropped() {
      dropped += 1;
    },
    droppedTotal: () => dropped,
  };
}
