import type { FlowConnection } from './connection.ts';

export interface ConnectionTable {
  get(id: number): FlowConnection | undefined;
  /** Makes room first if need be. Answers what it was given. */
  add(connection: FlowConnection): FlowConnection;
  remove(id: number): void;
  all(): IterableIterator<FlowConnection>;
  size(): number;
}

/** Connections looked at when room is needed, before the next one in line goes whatever its use. */
const CHANCES = 16;

/**
 * Connections by id. When full, the longest-held one that was not used since it was last looked at
 * goes: the clock algorithm, which costs nothing on the way of each transfer.
 */
export function createConnectionTable(
  connectionsMax: number,
  onDropped: (connection: FlowConnection) => void,
): ConnectionTable {
  const byId = new Map<number, FlowConnection>();
  let last: FlowConnection | undefined;

  function dropOne(): void {
    for (let chance = 0; ; chance += 1) {
      const first = byId.values().next();
      if (first.done === true) return;
      const oldest = first.value;
      byId.delete(oldest.shown.id);
      if (oldest.wasUsed && chance < CHANCES) {
        oldest.wasUsed = false;
        byId.set(oldest.shown.id, oldest);
        continue;
      }
      if (last === oldest) last = undefined;
      onDropped(oldest);
      return;
    }
  }

  return {
    get(id) {
      if (last?.shown.id === id) return last;
      const found = byId.get(id);
      if (found !== undefined) last = found;
      return found;
    },
    add(connection) {
      if (byId.size >= connectionsMax) dropOne();
      byId.set(connection.shown.id, connection);
      last = connection;
      return connection;
    },
    remove(id) {
      byId.delete(id);
      if (last?.shown.id === id) last = undefined;
    },
    all: () => byId.values(),
    size: () => byId.size,
  };
}
