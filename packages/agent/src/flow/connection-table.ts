import type { FlowConnection } from './connection.ts';

export interface ConnectionTable {
  get(id: number): FlowConnection | undefined;
  /** Makes room first if need be. Answers what it was given. */
  add(connection: FlowConnection): FlowConnection;
  remove(connection: FlowConnection): void;
  all(): IterableIterator<FlowConnection>;
  size(): number;
}

/** Connections looked at when room is needed, before the next one in line goes whatever its use. */
const CHANCES = 16;
/** A look at an array in place of a look-up by hash: 8 KB. */
const RECENT = 1_024;

/**
 * Connections by id. When full, the longest-held one that was not used since it was last looked at
 * goes: the clock algorithm, which costs nothing on the way of each transfer.
 */
export function createConnectionTable(
  connectionsMax: number,
  onDropped: (connection: FlowConnection) => void,
): ConnectionTable {
  const byId = new Map<number, FlowConnection>();
  /** By the low bits of their ids: connections that are busy at a time are a few. */
  const recent = new Array<FlowConnection | undefined>(RECENT).fill(undefined);

  function forget(connection: FlowConnection): void {
    const slot = slotOf(connection.shown.id);
    if (recent[slot] === connection) recent[slot] = undefined;
  }

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
      forget(oldest);
      onDropped(oldest);
      return;
    }
  }

  return {
    get(id) {
      const slot = slotOf(id);
      const met = recent[slot];
      if (met?.shown.id === id) return met;
      const found = byId.get(id);
      if (found !== undefined) recent[slot] = found;
      return found;
    },
    add(connection) {
      if (byId.size >= connectionsMax) dropOne();
      byId.set(connection.shown.id, connection);
      recent[slotOf(connection.shown.id)] = connection;
      return connection;
    },
    remove(connection) {
      byId.delete(connection.shown.id);
      forget(connection);
    },
    all: () => byId.values(),
    size: () => byId.size,
  };
}

function slotOf(id: number): number {
  return id & (RECENT - 1);
}
