import { frameName, PROFILE_LIMITS, SHORTENED } from './profile.ts';
import type { Location, Tables } from './tables.ts';

/** Leaves room for the frame that says what is missing. */
const LOCATION_LENGTH_MAX = PROFILE_LIMITS.stackLengthMax - SHORTENED.length - 1;

/** Makes stacks' texts of location ids, and keeps count of what they cost. */
export interface StackNames {
  /** `ids` from the leaf to the root, as pprof has them. Equal stacks are one string. */
  stackOf(ids: readonly number[]): string;
  /** UTF-16 units of the distinct stacks so far. */
  textLength(): number;
  shortened(): number;
}

export function createStackNames(tables: Tables): StackNames {
  const frames = new Map<number, string>();
  const stacks = new Map<string, string>();
  let textLength = 0;
  let shortened = 0;

  /** The frames of one location from the outermost to the innermost, joined. */
  function framesOf(id: number): string {
    const known = frames.get(id);
    if (known !== undefined) return known;
    const text = locationText(tables, tables.locations.get(id)).slice(0, LOCATION_LENGTH_MAX);
    frames.set(id, text);
    return text;
  }

  return {
    stackOf: (ids) => {
      const key = ids.length <= PROFILE_LIMITS.framesMax ? ids.join() : '';
      const known = key === '' ? undefined : stacks.get(key);
      if (known !== undefined) return known;
      const parts: string[] = [];
      let length = 0;
      let isCut = false;
      for (const id of ids) {
        const part = framesOf(id);
        isCut =
          parts.length === PROFILE_LIMITS.framesMax ||
          (parts.length > 0 &&
            length + part.length + SHORTENED.length + 2 > PROFILE_LIMITS.stackLengthMax);
        if (isCut) break;
        parts.push(part);
        length += part.length + 1;
      }
      if (isCut) {
        parts.push(SHORTENED);
        shortened += 1;
      }
      const stack = parts.length === 0 ? '[unknown]' : parts.reverse().join(';');
      textLength += stack.length;
      if (key !== '') stacks.set(key, stack);
      return stack;
    },
    textLength: () => textLength,
    shortened: () => shortened,
  };
}

function locationText(tables: Tables, location: Location | undefined): string {
  if (location === undefined) return '[unknown]';
  const names = location.functionIds.map((id) => {
    const name = tables.strings[tables.functionNames.get(id) ?? 0] ?? '';
    return name === '' ? '[unknown]' : frameName(name);
  });
  if (names.length > 0) return names.reverse().join(';');
  const file = tables.strings[tables.mappingFiles.get(location.mappingId) ?? 0] ?? '';
  if (file !== '') return `[${frameName(file)}]`;
  return location.address === 0 ? '[unknown]' : `[unknown] 0x${location.address.toString(16)}`;
}
