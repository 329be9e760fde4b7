import type { Node } from '../../core/balance/balancer.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { MatchedRoute, RequestContext } from '../../core/request-context.ts';
import { createHistogram, type Histogram, histogramLines, observe } from './histogram.ts';
import { createSeriesTable, type Series, type SeriesTable } from './series-table.ts';
import type { PrometheusSettings } from './settings.ts';

interface Counter {
  total: number;
}

/** The labels by which requests are told apart. */
export interface RequestLabels {
  readonly route: string;
  readonly service: string;
  /** Labels that a metric shows empty, by metric. */
  readonly disabled: Readonly<Record<string, readonly string[]>>;
}

/** The three metrics that requests make: `http_status`, `http_latency` and `bandwidth`. */
export interface RequestMetrics {
  /** Cheap where `labels` is the same object for all requests of a route. */
  record(context: RequestContext, labels: RequestLabels): void;
  /** Samples that had no series, since there were too many. */
  refused(): number;
  text(nowMs: number): string;
}

/** Series of one metric: 10,000 histograms of 16 buckets are some 20 MB of text in a scrape. */
const SERIES_MAX = 10_000;
const COMMON = ['route', 'service', 'consumer', 'node'];
const MODEL = ['request_type', 'request_llm_model', 'llm_model'];
export const STATUS_LABELS = [
  'code',
  'route',
  'matched_uri',
  'matched_host',
  'service',
  'consumer',
  'node',
  ...MODEL,
  'response_source',
];
export const TYPED_LABELS = ['type', ...COMMON, ...MODEL];
/** Labels that may not be shown empty. */
export const STRUCTURAL: ReadonlySet<string> = new Set(['code', 'type']);

/** All that one kind of request changes, found with one look-up. */
interface Bundle {
  readonly status: Series<Counter> | undefined;
  readonly request: Series<Histogram> | undefined;
  readonly gateway: Series<Histogram> | undefined;
  upstream: Series<Histogram> | undefined;
  readonly ingress: Series<Counter> | undefined;
  readonly egress: Series<Counter> | undefined;
}

/** A bundle with all that it was found by, besides the labels and what they follow from. */
interface Recent {
  readonly bundle: Bundle;
  readonly route: MatchedRoute | undefined;
  readonly status: number | undefined;
  readonly source: string | undefined;
  readonly node: Node | undefined;
  readonly consumer: Consumer | undefined;
}

export function createRequestMetrics(
  { prefix, buckets, metric }: PrometheusSettings,
  now: () => number,
): RequestMetrics {
  const counter = (): Counter => ({ total: 0 });
  const status = family('http_status', STATUS_LABELS, counter);
  const latency = family('http_latency', TYPED_LABELS, () => createHistogram(buckets));
  const bandwidth = family('bandwidth', TYPED_LABELS, counter);
  const hasExtras = [status, latency, bandwidth].some(({ extraLabels }) => extraLabels.length > 0);
  const bundles = new Map<string, Bundle>();
  /** What the last request of a route has changed: most are like the one before. */
  let recent = new WeakMap<RequestLabels, Recent>();
  let refused = 0;

  function family<Value>(name: string, labels: readonly string[], make: () => Value) {
    const { extraLabels, expireMs } = metric(name);
    const labelNames = [...labels, ...extraLabels.map((extra) => extra.name)];
    const table: SeriesTable<Value> = createSeriesTable({
      labelNames,
      seriesMax: SERIES_MAX,
      expireMs,
      make,
    });
    return { name, labelNames, extraLabels, table };
  }

  function record(context: RequestContext, labels: RequestLabels): void {
    const nowMs = now();
    const bundle = recentBundle(context, labels) ?? findBundle(context, labels, nowMs);
    const requestMs = Math.max(0, context.endMs - context.startMs);
    const upstreamMs = upstreamTime(context);
    add(bundle.status, 1, nowMs);
    take(bundle.request, requestMs, nowMs);
    take(bundle.gateway, Math.max(0, requestMs - (upstreamMs ?? 0)), nowMs);
    if (upstreamMs !== undefined) take(bundle.upstream, upstreamMs, nowMs);
    add(bundle.ingress, context.receivedBytes, nowMs);
    add(bundle.egress, context.sentBytes, nowMs);
  }

  /** The bundle of the last request with these labels, if this one is like it. */
  function recentBundle(context: RequestContext, labels: RequestLabels): Bundle | undefined {
    const known = recent.get(labels);
    const isAlike =
      known !== undefined &&
      known.route === context.route &&
      known.status === context.response?.status &&
      known.source === context.response?.source &&
      known.node === context.tries.at(-1)?.node &&
      known.consumer === context.consumer;
    return isAlike ? known.bundle : undefined;
  }

  function findBundle(context: RequestContext, labels: RequestLabels, nowMs: number): Bundle {
    const values = valuesOf(context, labels);
    const extras = [status, latency, bandwidth].map(({ extraLabels }) =>
      extraLabels.map(({ variable }) => context.variable(variable) ?? ''),
    );
    const key = `${Object.values(values).join('\n')}\n${extras.map(String).join('\n')}`;
    let bundle = bundles.get(key);
    if (bundle === undefined) {
      if (bundles.size >= SERIES_MAX) forget();
      bundle = bundleOf(values, extras, labels, nowMs);
      bundles.set(key, bundle);
    }
    if (context.tries.length > 0) {
      bundle.upstream ??= typed(latency, 'upstream', values, extras[1] ?? [], labels, nowMs);
    }
    if (!hasExtras) {
      recent.set(labels, {
        bundle,
        route: context.route,
        status: context.response?.status,
        source: context.response?.source,
        node: context.tries.at(-1)?.node,
        consumer: context.consumer,
      });
    }
    return bundle;
  }

  function forget(): void {
    bundles.clear();
    recent = new WeakMap();
  }

  function bundleOf(
    values: Values,
    extras: readonly (readonly string[])[],
    labels: RequestLabels,
    nowMs: number,
  ): Bundle {
    const [statusExtra = [], latencyExtra = [], bandwidthExtra = []] = extras;
    const of = (type: string) => typed(latency, type, values, latencyExtra, labels, nowMs);
    const bytes = (type: string) => typed(bandwidth, type, values, bandwidthExtra, labels, nowMs);
    const shown = status.labelNames.slice(0, STATUS_LABELS.length);
    return {
      status: status.table.at([...pick(shown, values, labels, status.name), ...statusExtra], nowMs),
      request: of('request'),
      gateway: of('apisix'),
      upstream: undefined,
      ingress: bytes('ingress'),
      egress: bytes('egress'),
    };
  }

  function typed<Value>(
    { name, table }: { readonly name: string; readonly table: SeriesTable<Value> },
    type: string,
    values: Values,
    extra: readonly string[],
    labels: RequestLabels,
    nowMs: number,
  ): Series<Value> | undefined {
    const shown = pick(TYPED_LABELS, { ...values, type }, labels, name);
    return table.at([...shown, ...extra], nowMs);
  }

  function add(series: Series<Counter> | undefined, count: number, nowMs: number): void {
    if (series === undefined) {
      refused += 1;
      return;
    }
    series.value.total += count;
    series.usedMs = nowMs;
  }

  function take(series: Series<Histogram> | undefined, ms: number, nowMs: number): void {
    if (series === undefined) {
      refused += 1;
      return;
    }
    observe(series.value, buckets, ms);
    series.usedMs = nowMs;
  }

  function text(nowMs: number): string {
    const isGone = [status, latency, bandwidth].map(({ table }) => table.expire(nowMs));
    if (isGone.includes(true)) forget();
    const counters = ({ name, table }: typeof status): string =>
      [...table.list()]
        .map(({ labels, value }) => `${prefix}${name}{${labels}} ${value.total}\n`)
        .join('');
    const histograms = [...latency.table.list()].map(({ labels, value }) =>
      histogramLines(`${prefix}http_latency`, labels, value, buckets),
    );
    return (
      titled('bandwidth', 'counter', 'Octets of requests and answers.', counters(bandwidth)) +
      titled('http_latency', 'histogram', 'Latency in milliseconds.', histograms.join('')) +
      titled('http_status', 'counter', 'Answers by status code.', counters(status))
    );
  }

  function titled(name: string, type: string, help: string, lines: string): string {
    if (lines === '') return '';
    return `# HELP ${prefix}${name} ${help}\n# TYPE ${prefix}${name} ${type}\n${lines}`;
  }

  return { record, text, refused: () => refused };
}

type Values = Readonly<Record<string, string>>;

function valuesOf(context: RequestContext, { route, service }: RequestLabels): Values {
  return {
    code: String(context.response?.status ?? 0),
    route,
    matched_uri: context.route?.uri ?? '',
    matched_host: context.route?.host ?? '',
    service,
    consumer: context.consumer?.username ?? '',
    node: context.tries.at(-1)?.node.address ?? '',
    request_type: 'traditional_http',
    response_source: context.response?.source ?? '',
  };
}

function pick(
  names: readonly string[],
  values: Values,
  { disabled }: RequestLabels,
  metric: string,
): string[] {
  const hidden = disabled[metric] ?? [];
  return names.map((name) => (hidden.includes(name) ? '' : (values[name] ?? '')));
}

/** All tries together, in milliseconds; undefined when none was made. */
function upstreamTime({ tries, endMs: overMs }: RequestContext): number | undefined {
  if (tries.length === 0) return undefined;
  let sum = 0;
  for (const { startMs, endMs } of tries) sum += Math.max(0, (endMs || overMs) - startMs);
  return sum;
}
