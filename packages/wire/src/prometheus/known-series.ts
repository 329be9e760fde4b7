/** What a reader asks before it walks over a series' labels. */
export interface KnownSeries {
  /**
   * Senders write their series in the same order each time: whether the labels of the series that
   * came next before stand at `start`, and then where they end, at `end` at the most; else -1. That
   * series has begun.
   */
  seriesAgain(view: DataView, start: number, end: number): number;
  sample(timestampMs: number, low: number, high: number): void;
}

const SERIES = 0x0a;
/** A field of 16 bytes: the value, a double, then the time in six bytes, as from 1971 to 2109. */
const SAMPLE_BYTES = 18;

/**
 * Takes the fields `timeseries` from `start` on, as long as the sink knows their labels and the rest of
 * each is samples as every sender writes them; answers where the first other field begins. It saves
 * the walk over the labels, and reads a sample without a look at each of its tags.
 */
export function readKnownSeries(view: DataView, start: number, sink: KnownSeries): number {
  let at = start;
  for (let end = readOne(view, at, sink); end > at; end = readOne(view, at, sink)) at = end;
  return at;
}

/**
 * Where the series at `at` ends; `at` when it is none that is known. A function of its own: one that is
 * called for each series is compiled for good, where a loop over all of them was so only in part.
 */
function readOne(view: DataView, at: number, sink: KnownSeries): number {
  const { byteLength } = view;
  // The tag, and a length of one or two bytes.
  if (at + 3 > byteLength || view.getUint8(at) !== SERIES) return at;
  let size = view.getUint8(at + 1);
  let from = at + 2;
  if (size >= 0x80) {
    const more = view.getUint8(from);
    if (more >= 0x80) return at;
    size = (size & 0x7f) | (more << 7);
    from += 1;
  }
  const end = from + size;
  if (end > byteLength) return at;
  const samples = sink.seriesAgain(view, from, end);
  if (samples < 0 || !areSamples(view, samples, end)) return at;
  for (let one = samples; one < end; one += SAMPLE_BYTES) {
    sink.sample(
      timeAt(view, one + 12),
      view.getUint32(one + 3, true),
      view.getUint32(one + 7, true),
    );
  }
  return end;
}

function areSamples(view: DataView, start: number, end: number): boolean {
  if (start === end || (end - start) % SAMPLE_BYTES !== 0) return false;
  for (let at = start; at < end; at += SAMPLE_BYTES) {
    const isOne =
      view.getUint16(at) === 0x1210 &&
      view.getUint8(at + 2) === 0x09 &&
      view.getUint8(at + 11) === 0x10 &&
      // Five bytes that go on, and one that does not.
      (view.getUint32(at + 12) & 0x80808080) === (0x80808080 | 0) &&
      (view.getUint16(at + 16) & 0x8080) === 0x8000;
    if (!isOne) return false;
  }
  return true;
}

/** A varint of six bytes. */
function timeAt(view: DataView, at: number): number {
  const low = view.getUint32(at, true);
  const high = view.getUint16(at + 4, true);
  const first =
    (low & 0x7f) | ((low >>> 1) & 0x3f80) | ((low >>> 2) & 0x1fc000) | ((low >>> 3) & 0xfe00000);
  return ((high & 0x7f) | ((high >>> 1) & 0x3f80)) * 2 ** 28 + first;
}
