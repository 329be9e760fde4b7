import { qualifiedName, traceAlias } from '@thalweg/model';
import type { Store } from '../storage/store.ts';

/** Which roots are one trace. Roots are decimal strings. */
export interface Aliases {
  /** The root that stands for the trace of `root`; itself when nothing joined it. */
  finalOf(root: string): string;
  /** All roots of the trace of `root`, itself among them. */
  membersOf(root: string): readonly string[];
}

/** Hops from a root to the last one that joined it, and roots of one answer. */
const ROUNDS_MAX = 16;
const ROOTS_MAX = 20_000;

/**
 * Follows aliases in both directions until nothing new turns up: usually one look-up by key finds
 * them all and a second one that there are no more.
 */
export async function readAliases(store: Store, roots: readonly string[]): Promise<Aliases> {
  const next = new Map<string, string>();
  const known = new Set(roots);
  let fresh = [...known];
  for (let round = 0; round < ROUNDS_MAX && fresh.length > 0; round += 1) {
    const { rows } = await store.query(
      `SELECT toString(old_root_hash), toString(new_root_hash) FROM ${qualifiedName(traceAlias)}
       WHERE old_root_hash IN {roots:Array(UInt64)} OR new_root_hash IN {roots:Array(UInt64)}
       LIMIT {most:UInt32}`,
      { params: { roots: fresh, most: ROOTS_MAX } },
    );
    fresh = [];
    for (const [older, newer] of rows) {
      next.set(String(older), String(newer));
      for (const root of [String(older), String(newer)]) {
        if (known.has(root) || known.size >= ROOTS_MAX) continue;
        known.add(root);
        fresh.push(root);
      }
    }
  }
  return aliasesOf(next, known);
}

function aliasesOf(next: ReadonlyMap<string, string>, known: ReadonlySet<string>): Aliases {
  function finalOf(root: string): string {
    let at = root;
    const passed = new Set<string>();
    for (let to = next.get(at); to !== undefined && !passed.has(to); to = next.get(at)) {
      passed.add(at);
      at = to;
    }
    return at;
  }
  const members = new Map<string, string[]>();
  for (const root of known) {
    const final = finalOf(root);
    const group = members.get(final);
    if (group === undefined) members.set(final, [root]);
    else group.push(root);
  }
  return { finalOf, membersOf: (root) => members.get(finalOf(root)) ?? [root] };
}
