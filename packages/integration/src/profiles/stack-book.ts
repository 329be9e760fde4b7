import { createHash } from 'node:crypto';

/** A stack that was seen: its id in two halves, and when its text was last stored. */
export interface StackEntry {
  readonly low: number;
  readonly high: number;
  /** Milliseconds since the epoch; 0: never, as far as this process knows. */
  namedMs: number;
}

/** Which stacks the store already has the texts of. */
export interface StackBook {
  entryOf(stack: string): StackEntry;
}

/** UTF-16 units of remembered stacks, about 64 MB. Beyond it the oldest is forgotten and stored again. */
const TEXT_MAX = 32 * 2 ** 20;

/** A stack's id is the first half of its MD5: equal on every process, and no secret hangs on it. */
export function createStackBook(textMax: number = TEXT_MAX): StackBook {
  const entries = new Map<string, StackEntry>();
  let length = 0;
  return {
    entryOf: (stack) => {
      const known = entries.get(stack);
      if (known !== undefined) return known;
      const digest = createHash('md5').update(stack).digest();
      const entry = { low: digest.readUInt32LE(0), high: digest.readUInt32LE(4), namedMs: 0 };
      entries.set(stack, entry);
      length += stack.length;
      for (const oldest of entries.keys()) {
        if (length <= textMax) break;
        entries.delete(oldest);
        length -= oldest.length;
      }
      return entry;
    },
  };
}
