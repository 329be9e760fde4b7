import { isLegacyLabelName, quote } from './parse/quoting.ts';
import type { Labels } from './series-source.ts';

export const NAME_LABEL = '__name__';
export const NO_LABELS: Labels = [];

/** Labels that describe the sample's kind; they go with the name. Source: Prometheus PROM-39. */
const METADATA_LABELS: ReadonlySet<string> = new Set([NAME_LABEL, '__type__', '__unit__']);

/** The empty value stands for an absent label. */
export function labelValue(labels: Labels, name: string): string {
  for (const [label, value] of labels) if (label === name) return value;
  return '';
}

/** Sorted, without empty values; of two equal names the last wins. */
export function labelsOf(pairs: Iterable<readonly [string, string]>): Labels {
  const byName = new Map(pairs);
  return [...byName]
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

export const withLabel = (labels: Labels, name: string, value: string): Labels =>
  labelsOf([...labels, [name, value]]);

export const withoutLabels = (labels: Labels, names: ReadonlySet<string>): Labels =>
  labels.filter(([name]) => !names.has(name));

export const onlyLabels = (labels: Labels, names: ReadonlySet<string>): Labels =>
  labels.filter(([name]) => names.has(name));

export const withoutName = (labels: Labels): Labels => withoutLabels(labels, METADATA_LABELS);

/** Equal exactly for equal labels: U+FFFF is in no valid label. */
export function labelsKey(labels: Labels): string {
  let key = '';
  for (const [name, value] of labels) key += `${name}\uffff${value}\uffff`;
  return key;
}

/** By name, then value, then length; in code-unit order. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [nameA, valueA] = a[i] ?? ['', ''];
    const [nameB, valueB] = b[i] ?? ['', ''];
    if (nameA !== nameB) return nameA < nameB ? -1 : 1;
    if (valueA !== valueB) return valueA < valueB ? -1 : 1;
  }
  return a.length - b.length;
}

/** `{a="b", "c.d"="e"}`, the name among them. */
export function formatLabels(labels: Labels): string {
  const shown = labels.map(
    ([name, value]) => `${isLegacyLabelName(name) ? name : quote(name)}=${quote(value)}`,
  );
  return `{${shown.join(', ')}}`;
}
