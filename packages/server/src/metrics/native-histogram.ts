import type { Histogram } from '@thalweg/promql';
import { decodeHistogram } from '@thalweg/wire';

/** The message of remote write as PromQL sees it. Undefined when it is malformed. */
export function toHistogram(message: Uint8Array): Histogram | undefined {
  const read = decodeHistogram(message);
  if (read === undefined) return undefined;
  return {
    schema: read.schema,
    sum: read.sum,
    count: read.count,
    zeroThreshold: read.zeroThreshold,
    zeroCount: read.zeroCount,
    positive: { spans: read.positiveSpans, counts: read.positiveCounts },
    negative: { spans: read.negativeSpans, counts: read.negativeCounts },
    customBounds: read.customValues,
    counterReset: read.resetHint,
  };
}
