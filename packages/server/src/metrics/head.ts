import { createSampleChunks } from './sample-chunks.ts';
import {
  createStretchBuffer,
  EMPTY_STRETCH,
  isSmaller,
  type Stretch,
  type StretchBuffer,
} from './stretch.ts';

/**
 * The newest samples, in memory. Everything in it is on disk too. It holds every sample from
 * `completeFromMs` on; that moves forward with time, and when its bytes are used up.
 */
export interface Head {
  append(slot: number, timeMs: number, low: number, high: number): void;
  /** For a query: what the head has now stays in it until the reader is closed. */
  open(): HeadReader;
  completeFromMs(): number;
  /** Says that from here on the head has all there is. Earlier samples are forgotten. */
  completeFrom(timeMs: number): void;
  /** Makes room: what is out of the window or over the limit goes. Call every few seconds. */
  trim(nowMs: number): void;
  /** The slot is another series' from here on. */
  forget(slot: number): void;
  bytes(): number;
  samples(): number;
}

export interface HeadReader {
  /** Samples before it are read from disk. */
  readonly fromMs: number;
  /**
   * Samples from `fromMs` on of both ends' times and between; good until the next `read`. Throws
   * when the reader was open for too long.
   */
  read(slot: number, startMs: number, endMs: number): Stretch;
  /** Call before some tens of slots are read, so that they wait for memory together. */
  load(slots: readonly number[], startMs: number): void;
  /** Idempotent. */
  close(): void;
}

export interface HeadLimits {
  readonly bytesMax: number;
  /** Samples older than this are given up first. */
  readonly windowMs: number;
}

export const HEAD_LIMITS: HeadLimits = {
  // About 13 bytes a sample: 10,000 series at 15 s for eight hours.
  bytesMax: 256 * 2 ** 20,
  windowMs: 6 * 3_600_000,
};

/** Readers hold memory; a query ends after two minutes, at a trim each five seconds. */
const READER_TRIMS_MAX = 30;
const BUFFERS_MAX = 4;
const LATE_BYTES = 24;
const LATE_MAX = 256;
const FIRST_SLOTS = 1_024;

interface OpenReader {
  readonly fromMs: number;
  trims: number;
}

export function createHead(limits: HeadLimits = HEAD_LIMITS): Head {
  const chunks = createSampleChunks();
  /** By slot: the newest chunk, -1 without one, and the newest time. */
  let newest = new Int32Array(FIRST_SLOTS).fill(-1);
  let lastMs = new Float64Array(FIRST_SLOTS).fill(Number.NEGATIVE_INFINITY);
  /** Samples that came out of order, flat: time, low, high. Merged in when somebody reads. */
  const late = new Map<number, number[]>();
  const readers = new Set<OpenReader>();
  const scratch = createStretchBuffer();
  /** Of readers that were closed: a new one costs a query more than what it copies into it. */
  const buffers: StretchBuffer[] = [];
  let trail = new Int32Array(64);
  let completeFromMs = Number.POSITIVE_INFINITY;
  let { windowMs } = limits;
  let samples = 0;
  let lateCount = 0;

  const bytes = (): number => chunks.bytes() + lateCount * LATE_BYTES;

  function append(slot: number, timeMs: number, low: number, high: number): void {
    if (slot >= newest.length) grow(slot);
    if (timeMs > (lastMs[slot] as number)) put(slot, timeMs, low, high);
    else addLate(slot, timeMs, low, high);
  }

  function put(slot: number, timeMs: number, low: number, high: number): void {
    const chunk = newest[slot] as number;
    if (chunk < 0 || !chunks.push(chunk, timeMs, low, high)) {
      const next = chunks.open(chunk, timeMs);
      chunks.push(next, timeMs, low, high);
      newest[slot] = next;
    }
    lastMs[slot] = timeMs;
    samples += 1;
  }

  function addLate(slot: number, timeMs: number, low: number, high: number): void {
    // The disk has it.
    if (Number.isFinite(completeFromMs) && timeMs < completeFromMs) return;
    // Sent again, as a sender does that missed an answer.
    if (timeMs === lastMs[slot] && chunks.endsWith(newest[slot] as number, low, high)) return;
    const list = late.get(slot) ?? [];
    if (list.length === 0) late.set(slot, list);
    list.push(timeMs, low, high);
    lateCount += 1;
    if (list.length >= 3 * LATE_MAX) mergeLate(slot, list);
  }

  function mergeLate(slot: number, list: readonly number[]): void {
    scratch.clear();
    copyTo(scratch, slot, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    const merged = mergeSamples(scratch, list);
    forget(slot);
    for (let at = 0; at < merged.count; at += 1) {
      const [low, high] = [merged.halves[2 * at], merged.halves[2 * at + 1]];
      put(slot, merged.times[at] as number, low as number, high as number);
    }
  }

  function forget(slot: number): void {
    if (slot >= newest.length) return;
    samples -= chunks.free(newest[slot] as number);
    newest[slot] = -1;
    lastMs[slot] = Number.NEGATIVE_INFINITY;
    lateCount -= (late.get(slot)?.length ?? 0) / 3;
    late.delete(slot);
  }

  function copyTo(into: StretchBuffer, slot: number, startMs: number, endMs: number): void {
    let length = 0;
    for (let chunk = newest[slot] ?? -1; chunk >= 0; chunk = chunks.previousOf(chunk)) {
      if (length === trail.length) trail = grownTo(trail, 2 * length, 0);
      trail[length] = chunk;
      length += 1;
      if (chunks.firstMsOf(chunk) <= startMs) break;
    }
    for (let at = length - 1; at >= 0; at -= 1) {
      chunks.copy(trail[at] as number, startMs, endMs, into);
    }
  }

  function open(): HeadReader {
    const reader: OpenReader = { fromMs: completeFromMs, trims: 0 };
    const buffer = buffers.pop() ?? createStretchBuffer();
    let isClosed = false;
    readers.add(reader);
    return {
      fromMs: reader.fromMs,
      read: (slot, startMs, endMs) => {
        if (!readers.has(reader)) throw new Error('the query was open for longer than it may read');
        const list = late.get(slot);
        if (list !== undefined) mergeLate(slot, list);
        buffer.clear();
        copyTo(buffer, slot, Math.max(startMs, reader.fromMs), endMs);
        return buffer.count === 0 ? EMPTY_STRETCH : buffer.view();
      },
      load: (slots, startMs) => {
        const ends = new Int32Array(slots.length);
        for (let at = 0; at < ends.length; at += 1) ends[at] = newest[slots[at] ?? 0] ?? -1;
        chunks.load(ends, Math.max(startMs, reader.fromMs));
      },
      close: () => {
        readers.delete(reader);
        if (!isClosed && buffers.length < BUFFERS_MAX) buffers.push(buffer);
        isClosed = true;
      },
    };
  }

  /** Chunks of which all is older than what anybody may read. */
  function evict(): void {
    let cutMs = completeFromMs;
    for (const { fromMs } of readers) cutMs = Math.min(cutMs, fromMs);
    for (let slot = 0; slot < newest.length; slot += 1) {
      let kept = -1;
      let chunk = newest[slot] as number;
      while (chunk >= 0 && chunks.lastMsOf(chunk) >= cutMs) {
        kept = chunk;
        chunk = chunks.previousOf(chunk);
      }
      if (chunk < 0) continue;
      if (kept >= 0) samples -= chunks.freeBefore(kept);
      else if (!late.has(slot)) forget(slot);
    }
  }

  let evictedMs = Number.NEGATIVE_INFINITY;
  function trim(nowMs: number): void {
    for (const reader of readers) {
      reader.trims += 1;
      if (reader.trims > READER_TRIMS_MAX) readers.delete(reader);
    }
    if (!Number.isFinite(completeFromMs)) return;
    // The window opens again when there is room: slowly, as it fills with time only.
    if (bytes() < limits.bytesMax / 2) windowMs = Math.min(limits.windowMs, windowMs * 1.01);
    completeFromMs = Math.max(completeFromMs, nowMs - windowMs);
    if (completeFromMs - evictedMs < windowMs / 16 && bytes() <= limits.bytesMax) return;
    evict();
    while (bytes() > limits.bytesMax && windowMs > 1) {
      // Three quarters each time, until it fits.
      windowMs *= 0.75;
      completeFromMs = Math.max(completeFromMs, nowMs - windowMs);
      evict();
    }
    evictedMs = completeFromMs;
  }

  function grow(slot: number): void {
    const length = Math.max(2 * newest.length, slot + 1);
    newest = grownTo(newest, length, -1);
    const times = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
    times.set(lastMs);
    lastMs = times;
  }

  return {
    append,
    open,
    trim,
    forget,
    completeFrom: (timeMs) => {
      completeFromMs = timeMs;
    },
    completeFromMs: () => completeFromMs,
    bytes,
    samples: () => samples + lateCount,
  };
}

function grownTo(
  values: Int32Array<ArrayBuffer>,
  length: number,
  filling: number,
): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length).fill(filling);
  larger.set(values);
  return larger;
}

/** Late samples (flat: time, low, high) between the others; of two at one time the smaller bits. */
function mergeSamples(others: StretchBuffer, flat: readonly number[]): StretchBuffer {
  const late: [timeMs: number, low: number, high: number][] = [];
  for (let at = 0; at < flat.length; at += 3) {
    late.push([flat[at] ?? 0, flat[at + 1] ?? 0, flat[at + 2] ?? 0]);
  }
  late.sort(([left], [right]) => left - right);
  const merged = createStretchBuffer();
  merged.reserve(others.count + late.length);
  const { times, halves } = merged;
  const put = (timeMs: number, low: number, high: number): void => {
    const isSame = merged.count > 0 && times[merged.count - 1] === timeMs;
    if (isSame && !isSmaller(low, high, halves, merged.count - 1)) return;
    if (!isSame) merged.count += 1;
    times[merged.count - 1] = timeMs;
    halves[2 * merged.count - 2] = low;
    halves[2 * merged.count - 1] = high;
  };
  let next = 0;
  for (let at = 0; at < others.count; at += 1) {
    const timeMs = others.times[at] ?? 0;
    for (let item = late[next]; item !== undefined && item[0] < timeMs; item = late[next]) {
      put(...item);
      next += 1;
    }
    put(timeMs, others.halves[2 * at] ?? 0, others.halves[2 * at + 1] ?? 0);
  }
  for (; next < late.length; next += 1) {
    const item = late[next];
    if (item !== undefined) put(...item);
  }
  return merged;
}
