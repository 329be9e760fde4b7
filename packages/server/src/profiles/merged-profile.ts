import type { MessageValue } from './connect-codec.ts';
import type { ProfileType } from './selector.ts';
import type { StackSum } from './stacks.ts';

const NS_PER_MS = 1_000_000n;

/**
 * Stacks as one pprof profile of one kind of value: a function and a location for each name of a frame,
 * for no lines or addresses are kept. Source: google/pprof, proto/profile.proto.
 */
export function mergedProfile(
  stacks: readonly StackSum[],
  options: { readonly type: ProfileType; readonly startMs: number; readonly endMs: number },
): MessageValue {
  const { type, startMs, endMs } = options;
  const texts = new Map([['', 0]]);
  const textOf = (text: string): number => {
    const index = texts.get(text) ?? texts.size;
    texts.set(text, index);
    return index;
  };
  const valueType = { type: textOf(type.event), unit: textOf(type.unit) };
  /** Ids count from 1; a function and its location share one. */
  const frames = new Map<string, number>();
  const idOf = (name: string): number => {
    const id = frames.get(name) ?? frames.size + 1;
    frames.set(name, id);
    return id;
  };
  // A sample lists its locations from the leaf.
  const sample = stacks.map(({ stack, value }) => ({
    locationId: stack.split(';').reverse().map(idOf),
    value: [value],
  }));
  const ids = [...frames.values()];
  return {
    sampleType: [valueType],
    sample,
    location: ids.map((id) => ({ id, line: [{ functionId: id }] })),
    function: Array.from(frames, ([name, id]) => ({ id, name: textOf(name) })),
    stringTable: [...texts.keys()],
    timeNanos: BigInt(startMs) * NS_PER_MS,
    durationNanos: BigInt(endMs - startMs) * NS_PER_MS,
    periodType: valueType,
  };
}
