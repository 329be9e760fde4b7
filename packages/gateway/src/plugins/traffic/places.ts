import type { CommonKind } from '../../workers/hub.ts';

/** Requests under way of each key. A key without any is forgotten, so clients bound the memory. */
export interface Places {
  /** How many there are with this one; undefined when `most` are under way. */
  enter(key: string, most: number, process: number): number | undefined;
  leave(key: string, process: number): void;
  /** The process has ended, and its requests with it. */
  release(process: number): void;
}

export const PLACES: CommonKind<Places, undefined> = {
  name: 'places',
  make() {
    const totals = new Map<string, number>();
    const byProcess = new Map<number, Map<string, number>>();

    function heldBy(process: number): Map<string, number> {
      const known = byProcess.get(process) ?? new Map<string, number>();
      byProcess.set(process, known);
      return known;
    }

    return {
      enter(key, most, process) {
        const count = (totals.get(key) ?? 0) + 1;
        if (count > most) return undefined;
        add(totals, key, 1);
        add(heldBy(process), key, 1);
        return count;
      },
      leave(key, process) {
        add(totals, key, -1);
        add(heldBy(process), key, -1);
      },
      release(process) {
        for (const [key, count] of heldBy(process)) add(totals, key, -count);
        byProcess.delete(process);
      },
    };
  },
};

function add(counts: Map<string, number>, key: string, change: number): void {
  const left = (counts.get(key) ?? 0) + change;
  if (left <= 0) counts.delete(key);
  else counts.set(key, left);
}
