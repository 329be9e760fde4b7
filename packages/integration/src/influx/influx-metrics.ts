import type { InfluxPoint, InfluxValue } from '@thalweg/wire';
import type { MetricBatch } from '../metric-writer.ts';

export interface InfluxCounts {
  readonly samples: number;
  /** Fields whose value is text: a metric has none. */
  readonly stringFields: number;
}

/**
 * Writes each number of a point as a sample of `measurement_field`; a boolean is 1 or 0, a text is
 * counted and left out. Tags are labels; `labels` stand beside them where no tag has their name.
 * Letters that Prometheus does not have in names become `_`.
 */
export function writeInfluxPoints(
  points: readonly InfluxPoint[],
  batch: MetricBatch,
  options: { readonly nowMs: number; readonly labels: readonly (readonly [string, string])[] },
): InfluxCounts {
  let samples = 0;
  let stringFields = 0;
  for (const { measurement, tags, fields, timestampNs } of points) {
    const timestampMs = timestampNs === undefined ? options.nowMs : millisOf(timestampNs);
    const labels = labelsOf(tags, options.labels);
    for (const [field, value] of fields) {
      const number = numberOf(value);
      if (number === undefined) {
        stringFields += 1;
        continue;
      }
      const name = metricName(`${measurement}_${field}`);
      samples += 1;
      if (batch.seriesLabels(['__name__', name, ...labels])) batch.number(timestampMs, number);
    }
  }
  return { samples, stringFields };
}

function numberOf(value: InfluxValue): number | undefined {
  if (value.kind === 'string') return undefined;
  return value.kind === 'boolean' ? Number(value.isTrue) : value.number;
}

/** Rounds down, also before 1970. */
function millisOf(timestampNs: bigint): number {
  const ms = timestampNs / 1_000_000n;
  return Number(timestampNs % 1_000_000n < 0n ? ms - 1n : ms);
}

/** Two tags that become one name: the first stands. */
function labelsOf(
  tags: InfluxPoint['tags'],
  others: readonly (readonly [string, string])[],
): string[] {
  const labels = new Map<string, string>();
  for (const [key, value] of [...tags, ...others]) {
    const name = labelName(key);
    if (!labels.has(name)) labels.set(name, value);
  }
  return [...labels].flat();
}

/** Source: Prometheus, "Data model". */
function metricName(text: string): string {
  return text.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_');
}

function labelName(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
  return name.startsWith('__') ? name.slice(1) : name;
}
