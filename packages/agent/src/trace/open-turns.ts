/** Open requests by the turn in which they were read. */
export interface OpenTurns<Request> {
  get(turnId: number): Request | undefined;
  /** Of pipelined requests, which share a turn, the first stays: it is the one that is worked on. */
  add(turnId: number, request: Request): void;
  remove(turnId: number, request: Request): void;
}

interface Slot<Request> {
  turnId: number;
  request: Request | undefined;
}

/** A turn id is the id of its connection, shifted by this, and a count. Source: causes.h. */
const TURNS_A_CONNECTION = 2 ** 20;
/** Slots of connections before those that are empty are looked for. */
const SLOTS_MAX = 65_536;

/** The id of the connection whose turn it is. */
export function connectionOf(turnId: number): number {
  return Math.floor(turnId / TURNS_A_CONNECTION);
}

/**
 * A connection has one open turn at a time, unless requests are pipelined: it keeps its slot, since
 * a map whose keys come and go spends more time on making room than on look-ups.
 */
export function createOpenTurns<Request>(): OpenTurns<Request> {
  const slots = new Map<number, Slot<Request>>();
  const others = new Map<number, Request>();
  let slotsMax = SLOTS_MAX;

  function makeRoom(): void {
    if (slots.size < slotsMax) return;
    for (const [connection, { request }] of slots) {
      if (request === undefined) slots.delete(connection);
    }
    slotsMax = Math.max(SLOTS_MAX, 2 * slots.size);
  }

  return {
    get(turnId) {
      const slot = slots.get(connectionOf(turnId));
      if (slot?.turnId === turnId && slot.request !== undefined) return slot.request;
      return others.size === 0 ? undefined : others.get(turnId);
    },
    add(turnId, request) {
      const connection = connectionOf(turnId);
      const slot = slots.get(connection);
      if (slot === undefined) {
        makeRoom();
        slots.set(connection, { turnId, request });
      } else if (slot.request === undefined && !others.has(turnId)) {
        slot.turnId = turnId;
        slot.request = request;
      } else if (slot.turnId !== turnId && !others.has(turnId)) others.set(turnId, request);
    },
    remove(turnId, request) {
      const slot = slots.get(connectionOf(turnId));
      if (slot?.request === request) slot.request = undefined;
      else if (others.size > 0 && others.get(turnId) === request) others.delete(turnId);
    },
  };
}
