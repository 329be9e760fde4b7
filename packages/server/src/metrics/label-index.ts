import { type Labels, type Matcher, matcherTest } from '@thalweg/promql';

type Pair = readonly [name: string, value: string];

/** Series that carry one label with one value, in the order in which they were added. */
interface Posting {
  readonly pair: Pair;
  slots: Uint32Array<ArrayBuffer>;
  count: number;
}

/** Which series have which labels. Series are small numbers (slots), given by the caller. */
export interface LabelIndex {
  /** `labels` are sorted by name. The slot must not be there. */
  add(slot: number, labels: Labels): void;
  /** Forgets series, and labels that no other one has; costs a look at all others. */
  remove(slots: ReadonlySet<number>): void;
  /** Undefined for a slot that is not there. */
  labelsOf(slot: number): Labels | undefined;
  /** Slots that satisfy all matchers, sorted by their labels. Known until a series comes or goes. */
  select(matchers: readonly Matcher[]): readonly number[];
  /** Names in use, sorted. */
  names(): string[];
  /** Values of a name, with the number of series that have each. */
  values(name: string): { readonly value: string; readonly series: number }[];
  readonly count: number;
}

const NO_SLOTS = new Uint32Array(0);

export function createLabelIndex(): LabelIndex {
  const byName = new Map<string, Map<string, Posting>>();
  const labelsBySlot: (Labels | undefined)[] = [];
  const order = createOrder((slot) => labelsBySlot[slot] ?? []);
  const known = createKnownSelections();
  let count = 0;

  function postingOf(name: string, value: string): Posting {
    let values = byName.get(name);
    if (values === undefined) {
      values = new Map();
      byName.set(name, values);
    }
    let posting = values.get(value);
    if (posting === undefined) {
      posting = { pair: [name, value], slots: NO_SLOTS, count: 0 };
      values.set(value, posting);
    }
    return posting;
  }

  function add(slot: number, labels: Labels): void {
    // Series share the pairs: a series costs a list of references.
    const shared = labels.map(([name, value]) => {
      const posting = postingOf(name, value);
      if (posting.count === posting.slots.length) posting.slots = larger(posting.slots);
      posting.slots[posting.count++] = slot;
      return posting.pair;
    });
    labelsBySlot[slot] = shared;
    known.clear();
    order.add(slot);
    count += 1;
  }

  function remove(dead: ReadonlySet<number>): void {
    known.clear();
    for (const [name, values] of byName) {
      for (const [value, posting] of values) {
        const left = posting.slots.subarray(0, posting.count).filter((slot) => !dead.has(slot));
        posting.count = left.length;
        posting.slots = left;
        if (left.length === 0) values.delete(value);
      }
      if (values.size === 0) byName.delete(name);
    }
    order.remove(dead);
    for (const slot of dead) {
      if (labelsBySlot[slot] === undefined) continue;
      labelsBySlot[slot] = undefined;
      count -= 1;
    }
  }

  /** The shortest list that has every series which the matchers can select. */
  function candidates(matchers: readonly Matcher[]): readonly Posting[] | undefined {
    let best: readonly Posting[] | undefined;
    let bestCount = Number.POSITIVE_INFINITY;
    for (const matcher of matchers) {
      const test = matcherTest(matcher);
      if (test('')) continue; // A series without the label satisfies it too.
      const values = byName.get(matcher.name);
      const exact = matcher.operator === '=' ? values?.get(matcher.value) : undefined;
      const found =
        matcher.operator === '='
          ? exact === undefined
            ? []
            : [exact]
          : [...(values?.values() ?? [])].filter(({ pair }) => test(pair[1]));
      const size = found.reduce((sum, posting) => sum + posting.count, 0);
      if (size < bestCount) [best, bestCount] = [found, size];
    }
    return best;
  }

  function find(matchers: readonly Matcher[]): number[] {
    const postings = candidates(matchers);
    const tests = matchers.map((matcher) => ({
      name: matcher.name,
      passes: remembered(matcherTest(matcher)),
    }));
    const slots: number[] = [];
    const consider = (slot: number): void => {
      const labels = labelsBySlot[slot];
      if (labels === undefined) return;
      if (tests.every(({ name, passes }) => passes(labelValue(labels, name)))) slots.push(slot);
    };
    if (postings === undefined) {
      for (let slot = 0; slot < labelsBySlot.length; slot += 1) consider(slot);
    }
    for (const { slots: list, count: size } of postings ?? []) {
      for (let at = 0; at < size; at += 1) consider(list[at] ?? 0);
    }
    return order.sort(slots);
  }

  return {
    add,
    remove,
    select: (matchers) => known.of(matchers, find),
    labelsOf: (slot) => labelsBySlot[slot],
    names: () => [...byName.keys()].sort(),
    values: (name) =>
      [...(byName.get(name)?.values() ?? [])].map(({ pair, count: series }) => ({
        value: pair[1],
        series,
      })),
    get count() {
      return count;
    },
  };
}

/** Slots of all answers that are kept. */
const KNOWN_SLOTS_MAX = 2_000_000;

/** What was selected since a series came or went last: dashboards ask the same again and again. */
function createKnownSelections(): {
  of(
    matchers: readonly Matcher[],
    find: (matchers: readonly Matcher[]) => readonly number[],
  ): readonly number[];
  clear(): void;
} {
  const answers = new Map<string, readonly number[]>();
  let slots = 0;
  const clear = (): void => {
    if (answers.size > 0) answers.clear();
    slots = 0;
  };
  return {
    of: (matchers, find) => {
      const key = JSON.stringify(
        matchers.map(({ name, operator, value }) => [name, operator, value]),
      );
      const answer = answers.get(key);
      if (answer !== undefined) return answer;
      const found = find(matchers);
      // An answer of no slots takes room too.
      slots += found.length + key.length;
      if (slots > KNOWN_SLOTS_MAX) clear();
      else answers.set(key, found);
      return found;
    },
    clear,
  };
}

/** '' when the label is absent, as PromQL has it. */
export function labelValue(labels: Labels, name: string): string {
  for (const pair of labels) if (pair[0] === name) return pair[1];
  return '';
}

/** Many series share a value: a pattern is tried once on each. */
function remembered(test: (value: string) => boolean): (value: string) => boolean {
  const answers = new Map<string, boolean>();
  return (value) => {
    let answer = answers.get(value);
    if (answer === undefined) {
      answer = test(value);
      answers.set(value, answer);
    }
    return answer;
  };
}

/** Compares by names and values in turn, code unit by code unit. */
export function compareLabels(one: Labels, other: Labels): number {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at += 1) {
    const [left, right] = [one[at], other[at]];
    // Pairs of the index are shared: the same reference is the same label.
    if (left === right || left === undefined || right === undefined) continue;
    if (left[0] !== right[0]) return left[0] < right[0] ? -1 : 1;
    if (left[1] !== right[1]) return left[1] < right[1] ? -1 : 1;
  }
  return one.length - other.length;
}

/** The rank of each slot by its labels, brought up to date when somebody asks. */
function createOrder(labelsOf: (slot: number) => Labels): {
  add(slot: number): void;
  remove(slots: ReadonlySet<number>): void;
  sort(slots: number[]): number[];
} {
  let sorted: number[] = [];
  let added: number[] = [];
  let ranks = new Uint32Array(0);
  const compare = (one: number, other: number): number =>
    compareLabels(labelsOf(one), labelsOf(other));

  function refresh(): void {
    if (added.length === 0) return;
    added.sort(compare);
    sorted = merged(sorted, added, compare);
    added = [];
    rank();
  }

  function rank(): void {
    const most = sorted.reduce((max, slot) => Math.max(max, slot), 0);
    if (ranks.length <= most) ranks = new Uint32Array(2 * (most + 1));
    sorted.forEach((slot, at) => {
      ranks[slot] = at;
    });
  }

  return {
    add: (slot) => added.push(slot),
    remove: (dead) => {
      added = added.filter((slot) => !dead.has(slot));
      const left = sorted.filter((slot) => !dead.has(slot));
      if (left.length === sorted.length) return;
      sorted = left;
      rank();
    },
    sort: (slots) => {
      refresh();
      const chosen = Uint32Array.from(slots, (slot) => ranks[slot] ?? 0).sort();
      return Array.from(chosen, (rank) => sorted[rank] ?? 0);
    },
  };
}

function merged(
  one: readonly number[],
  other: readonly number[],
  compare: (one: number, other: number) => number,
): number[] {
  const all: number[] = [];
  let at = 0;
  for (const slot of one) {
    for (let next = other[at]; next !== undefined && compare(next, slot) < 0; next = other[at]) {
      all.push(next);
      at += 1;
    }
    all.push(slot);
  }
  for (; at < other.length; at += 1) all.push(other[at] ?? 0);
  return all;
}

function larger(slots: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(Math.max(4, 2 * slots.length));
  grown.set(slots);
  return grown;
}
