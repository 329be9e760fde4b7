import { createProtoWriter, type OtlpBuckets, type OtlpPoint } from '@thalweg/wire';

/** Prometheus's finest and coarsest schemas. Source: Prometheus, "Native Histograms". */
const SCHEMA_MAX = 8;
const SCHEMA_MIN = -4;

/**
 * The message prometheus.Histogram for an exponential histogram; undefined when its scale is
 * coarser than Prometheus has. Finer ones are merged. OpenTelemetry's bucket `i` ends where
 * Prometheus's bucket `i + 1` does.
 */
export function nativeHistogram(point: OtlpPoint, timestampMs: number): Uint8Array | undefined {
  if (point.scale < SCHEMA_MIN) return undefined;
  const shift = Math.max(0, point.scale - SCHEMA_MAX);
  const writer = createProtoWriter();
  writer.varintField(1, point.count, true);
  writer.doubleField(3, point.sum ?? 0);
  writer.zigZagField(4, point.scale - shift);
  writer.doubleField(5, point.zeroThreshold);
  writer.varintField(6, point.zeroCount, true);
  const sides = [
    { buckets: merged(point.negative, shift), spans: 8, deltas: 9 },
    { buckets: merged(point.positive, shift), spans: 11, deltas: 12 },
  ];
  for (const { buckets, spans, deltas } of sides) {
    let previousEnd = 0;
    for (const span of buckets) {
      writer.messageField(spans, () => {
        writer.zigZagField(1, span.start - previousEnd);
        writer.varintField(2, span.counts.length);
      });
      previousEnd = span.start + span.counts.length;
    }
    let before = 0;
    // One by one: a valid spelling of a packed field.
    for (const count of buckets.flatMap(({ counts }) => counts)) {
      writer.zigZagField(deltas, count - before, true);
      before = count;
    }
  }
  writer.signedField(15, timestampMs);
  return writer.finish();
}

interface BucketSpan {
  readonly start: number;
  readonly counts: number[];
}

/** Runs of buckets that are not empty, `2^shift` of them made one. */
function merged({ offset, counts }: OtlpBuckets, shift: number): BucketSpan[] {
  const spans: BucketSpan[] = [];
  let at = Number.NaN;
  counts.forEach((count, index) => {
    if (count === 0) return;
    // Upper bounds, shifted with the sign: ⌊i / 2^shift⌋ of the lower index, plus one.
    const place = Math.floor((offset + index) / 2 ** shift) + 1;
    const last = spans.at(-1);
    if (last !== undefined && place === at) last.counts.push((last.counts.pop() ?? 0) + count);
    else if (last !== undefined && place === at + 1) last.counts.push(count);
    else spans.push({ start: place, counts: [count] });
    at = place;
  });
  return spans;
}
