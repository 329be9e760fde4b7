/**
 * What a decoder of a whole body answers: the value, or the first reason why the body is not one.
 * `reason` says what and where, in lower case, and holds no more than a short piece of the input.
 */
export type Decoded<Value> =
  | { readonly kind: 'decoded'; readonly value: Value }
  | { readonly kind: 'invalid'; readonly reason: string };

/** One item of a list was not understood; the others stand. `at` counts from 0. */
export interface Refusal {
  readonly at: number;
  readonly reason: string;
}

/** Items that were understood, how many were not, and the first of those. */
export interface DecodedList<Item> {
  readonly items: readonly Item[];
  readonly refused: number;
  readonly firstRefusal: Refusal | undefined;
}

export function decoded<Value>(value: Value): Decoded<Value> {
  return { kind: 'decoded', value };
}

export function invalid(reason: string): { readonly kind: 'invalid'; readonly reason: string } {
  return { kind: 'invalid', reason };
}

/** Collects what a loop understood and counts what it did not. */
export function createListCollector<Item>(): {
  keep(item: Item): void;
  refuse(at: number, reason: string): void;
  list(): DecodedList<Item>;
} {
  const items: Item[] = [];
  let refused = 0;
  let firstRefusal: Refusal | undefined;
  return {
    keep: (item) => {
      items.push(item);
    },
    refuse: (at, reason) => {
      refused += 1;
      firstRefusal ??= { at, reason };
    },
    list: () => ({ items, refused, firstRefusal }),
  };
}
