// `metric{a="b"} 0+10x5 _ stale {{count:1}}x3`: a series and its samples.
import { addHistogram } from '../histogram/arithmetic.ts';
import { labelsOf, NAME_LABEL } from '../labels.ts';
import { parseNumber } from '../parse/numbers.ts';
import { unquote } from '../parse/quoting.ts';
import type { Histogram, Labels } from '../series-source.ts';
import { parseHistogram } from './histogram-notation.ts';
import { ScriptFault, type ScriptSample, type ScriptSeries } from './script.ts';

/** Samples that a line may unroll to. */
const SAMPLES_MAX = 1_000_000;

const METRIC = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL =
  /\s*(?:([a-zA-Z_][a-zA-Z0-9_]*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))\s*(?:=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))?\s*(?:,|(?=\}))/y;

/** Labels of the series at the start of a line, and the rest of it. */
export function parseSeriesLine(line: string): { readonly labels: Labels; readonly rest: string } {
  const pairs: [string, string][] = [];
  METRIC.lastIndex = 0;
  const name = METRIC.exec(line)?.[0];
  let at = name?.length ?? 0;
  if (name !== undefined) pairs.push([NAME_LABEL, name]);
  while (line[at] === ' ' || line[at] === '\t') at++;
  if (line[at] === '{' && line[at + 1] !== '{') {
    at++;
    while (!/^\s*\}/.test(line.slice(at))) {
      LABEL.lastIndex = at;
      const match = LABEL.exec(line);
      if (match === null) throw new ScriptFault(`bad labels in ${line}`);
      pairs.push(labelOf(match[1], match[2], match[3]));
      at = LABEL.lastIndex;
    }
    at = line.indexOf('}', at) + 1;
  } else if (name === undefined) throw new ScriptFault(`no series in ${line}`);
  return { labels: labelsOf(pairs), rest: line.slice(at).trim() };
}

function labelOf(
  bare: string | undefined,
  quoted: string | undefined,
  value: string | undefined,
): [string, string] {
  const name = bare ?? unquote(quoted ?? '""') ?? '';
  if (value === undefined) return [NAME_LABEL, name];
  const text = unquote(value);
  if (text === undefined) throw new ScriptFault(`bad label value ${value}`);
  return [name, text];
}

export function parseSeries(line: string): ScriptSeries {
  const { labels, rest } = parseSeriesLine(line);
  return { labels, samples: parseSamples(rest) };
}

const ITEM = /\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x\d+)?|\S+/g;
const GAP = /^_(?:x(\d+))?$/;
const FLOAT =
  /^([+-]?(?:inf|nan|[0-9._]+(?:e[+-]?\d+)?))(?:([+-](?:inf|nan|[0-9.]+(?:e[+-]?\d+)?)))?(?:x(\d+))?$/i;
const HISTOGRAM = /^\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?$/;

export function parseSamples(text: string): ScriptSample[] {
  const samples: ScriptSample[] = [];
  for (const item of text.match(ITEM) ?? []) {
    const unrolled = samplesOf(item);
    if (samples.length + unrolled.length > SAMPLES_MAX) {
      throw new ScriptFault(`a series of more than ${SAMPLES_MAX} samples`);
    }
    for (const sample of unrolled) samples.push(sample);
  }
  return samples;
}

function samplesOf(item: string): ScriptSample[] {
  if (item === 'stale') return ['stale'];
  const gap = GAP.exec(item);
  if (gap !== null) return Array.from({ length: countOf(gap[1] ?? '1') }, () => undefined);
  const float = FLOAT.exec(item);
  if (float !== null) return floatsOf(float);
  const histogram = HISTOGRAM.exec(item);
  if (histogram !== null) return histogramsOf(histogram);
  throw new ScriptFault(`bad sample ${item}`);
}

function countOf(text: string): number {
  const count = Number(text);
  if (count > SAMPLES_MAX) throw new ScriptFault(`a repetition of more than ${SAMPLES_MAX}`);
  return count;
}

function floatsOf([, first = '', increment, times]: RegExpExecArray): number[] {
  const start = parseNumber(first);
  const step = increment === undefined ? 0 : parseNumber(increment);
  if (start === undefined || step === undefined) throw new ScriptFault(`bad sample ${first}`);
  if (increment !== undefined && times === undefined) {
    throw new ScriptFault(`${first}${increment} has no number of repetitions`);
  }
  const values = [start];
  // Added one by one, so that rounding is that of the original.
  for (let i = 0; i < countOf(times ?? '0'); i++) values.push((values.at(-1) ?? 0) + step);
  return values;
}

function histogramsOf([, first = '', sign, second, times]: RegExpExecArray): Histogram[] {
  const start = parseHistogram(first);
  const step = second === undefined ? undefined : parseHistogram(second);
  const values = [start];
  for (let i = 0; i < countOf(times ?? '0'); i++) {
    const last = values.at(-1) ?? start;
    if (step === undefined) {
      values.push(last);
      continue;
    }
    const next = addHistogram(last, step, sign === '-' ? -1 : 1);
    if (next === undefined) throw new ScriptFault('histograms of different kinds in one sequence');
    values.push({ ...next.histogram, counterReset: step.counterReset });
  }
  return values;
}
