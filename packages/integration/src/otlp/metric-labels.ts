import {
  type AttributeList,
  anyValueJson,
  createAnyView,
  doubleText,
  intText,
  type ProtoCursor,
  readAnyValue,
} from '@thalweg/wire';
import { decodeText } from './decode-text.ts';
import { labelName } from './metric-names.ts';

/** What a resource gives to its series: flat labels, and its own series `target_info`. */
export interface MetricResource {
  /** `job` and `instance`. */
  readonly labels: readonly string[];
  /** Undefined when the resource says no more than these two. */
  readonly info: readonly string[] | undefined;
}

const IDENTITY = ['service.name', 'service.namespace', 'service.instance.id'];

/** Source: OpenTelemetry, "Prometheus and OpenMetrics Compatibility", Resource Attributes. */
export function metricResource(list: AttributeList, cursor: ProtoCursor): MetricResource {
  const texts = textsOf(list, cursor);
  const name = texts.get('service.name') ?? 'unknown_service';
  const space = texts.get('service.namespace');
  const labels = ['job', space === undefined ? name : `${space}/${name}`];
  const instance = texts.get('service.instance.id');
  if (instance !== undefined) labels.push('instance', instance);
  const rest = [...texts].filter(([key]) => !IDENTITY.includes(key));
  if (rest.length === 0) return { labels, info: undefined };
  return { labels, info: ['__name__', 'target_info', ...labels, ...flat(rest)] };
}

/** Attributes of a point as flat labels. Keys that become one name: their values, with `;`. */
export function labelsOf(list: AttributeList, cursor: ProtoCursor): string[] {
  return flat([...textsOf(list, cursor)]);
}

function flat(pairs: readonly (readonly [string, string])[]): string[] {
  const labels = new Map<string, string>();
  for (const [key, value] of pairs) {
    const name = labelName(key);
    const other = labels.get(name);
    labels.set(name, other === undefined ? value : `${other};${value}`);
  }
  return [...labels].flat();
}

function textsOf(list: AttributeList, cursor: ProtoCursor): Map<string, string> {
  const texts = new Map<string, string>();
  const view = createAnyView();
  for (let i = 0; i < list.count; i++) {
    const from = list.valueFrom[i] ?? 0;
    const to = list.valueTo[i] ?? 0;
    const key = decodeText(cursor.bytes, list.keyFrom[i] ?? 0, list.keyTo[i] ?? 0);
    readAnyValue(cursor, from, to, view);
    if (view.kind === 'text') texts.set(key, decodeText(cursor.bytes, view.from, view.to));
    else if (view.kind === 'int') texts.set(key, intText(view));
    else if (view.kind === 'double') texts.set(key, doubleText(view.number));
    else texts.set(key, anyValueJson(cursor, from, to, decodeText));
  }
  return texts;
}
