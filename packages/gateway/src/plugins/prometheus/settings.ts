import type { PluginConf } from '../../core/objects.ts';

export interface ExtraLabel {
  readonly name: string;
  /** A variable without `$`. */
  readonly variable: string;
}

export interface MetricSettings {
  readonly extraLabels: readonly ExtraLabel[];
  readonly expireMs: number;
}

/** plugin_attr.prometheus, with APISIX's defaults. */
export interface PrometheusSettings {
  readonly prefix: string;
  readonly exportUri: string;
  readonly hasExportServer: boolean;
  readonly exportIp: string;
  readonly exportPort: number;
  readonly isAddressConfigured: boolean;
  readonly buckets: readonly number[];
  metric(name: string): MetricSettings;
}

/** Milliseconds. Source: APISIX's `default_buckets`. */
const BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const LABEL_NAME = /^[a-zA-Z_]\w*$/;

export function prometheusSettings(attributes: PluginConf): PrometheusSettings {
  const address = section(attributes['export_addr']);
  const metrics = section(attributes['metrics']);
  const buckets = numbers(attributes['default_buckets']);
  return {
    prefix: text(attributes['metric_prefix'], 'apisix_'),
    exportUri: text(attributes['export_uri'], '/apisix/prometheus/metrics'),
    hasExportServer: attributes['enable_export_server'] !== false,
    exportIp: text(address['ip'], '127.0.0.1'),
    exportPort: typeof address['port'] === 'number' ? address['port'] : 9091,
    isAddressConfigured: attributes['export_addr'] !== undefined,
    buckets: buckets.length > 0 ? buckets : BUCKETS,
    metric(name) {
      const { extra_labels: labels, expire } = section(metrics[name]);
      return {
        extraLabels: (Array.isArray(labels) ? labels : []).flatMap(extraLabels),
        expireMs: typeof expire === 'number' ? expire * 1_000 : 0,
      };
    },
  };
}

/** `{upstream_addr: $upstream_addr}`; what is no label is left out. */
function extraLabels(given: unknown): readonly ExtraLabel[] {
  return Object.entries(section(given)).flatMap(([name, variable]) =>
    typeof variable === 'string' && LABEL_NAME.test(name)
      ? [{ name, variable: variable.replace(/^\$/, '') }]
      : [],
  );
}

function section(value: unknown): PluginConf {
  return typeof value === 'object' && value !== null ? (value as PluginConf) : {};
}

function text(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}

function numbers(value: unknown): number[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [];
  return given
    .filter((one): one is number => typeof one === 'number' && Number.isFinite(one))
    .sort((a, b) => a - b);
}
