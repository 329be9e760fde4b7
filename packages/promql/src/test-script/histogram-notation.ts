import { bucketsOf, CUSTOM_SCHEMA } from '../histogram/buckets.ts';
import { parseNumber } from '../parse/numbers.ts';
import type { Histogram, HistogramBuckets } from '../series-source.ts';
import { ScriptFault } from './script.ts';

const HINTS: Readonly<Record<string, Histogram['counterReset']>> = {
  unknown: 'unknown',
  reset: 'reset',
  not_reset: 'not-reset',
  gauge: 'gauge',
};

const FIELD = /\s*([a-z_]+):(\[[^\]]*\]|\S+)/y;

/** `schema:0 sum:5 buckets:[1 2 1] …`: the text between the double braces. */
export function parseHistogram(text: string): Histogram {
  const fields = new Map<string, string>();
  FIELD.lastIndex = 0;
  let end = 0;
  for (let match = FIELD.exec(text); match !== null; match = FIELD.exec(text)) {
    fields.set(match[1] ?? '', match[2] ?? '');
    end = FIELD.lastIndex;
  }
  if (text.slice(end).trim() !== '') throw new ScriptFault(`bad histogram {{${text}}}`);
  const number = (key: string): number => numberOf(fields.get(key) ?? '0');
  const list = (key: string): number[] =>
    (fields.get(key) ?? '[]').slice(1, -1).split(/\s+/).filter(Boolean).map(numberOf);
  const hint = HINTS[fields.get('counter_reset_hint') ?? 'unknown'];
  if (hint === undefined) throw new ScriptFault(`bad counter_reset_hint in {{${text}}}`);
  const schema = number('schema');
  return {
    schema,
    sum: number('sum'),
    count: number('count'),
    zeroThreshold: schema === CUSTOM_SCHEMA ? 0 : number('z_bucket_w'),
    zeroCount: number('z_bucket'),
    positive: bucketsFrom(list('buckets'), number('offset')),
    negative: bucketsFrom(list('n_buckets'), number('n_offset')),
    customBounds: list('custom_values'),
    counterReset: hint,
  };
}

const bucketsFrom = (counts: readonly number[], offset: number): HistogramBuckets =>
  bucketsOf(counts.map((count, i) => ({ index: offset + i, count })));

function numberOf(text: string): number {
  const value = parseNumber(text);
  if (value === undefined) throw new ScriptFault(`bad number ${text}`);
  return value;
}
