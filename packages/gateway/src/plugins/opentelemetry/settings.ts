import type { AttributeValue } from '@thalweg/wire';
import type { PluginConf } from '../../core/objects.ts';

/** What all instances share: plugin_attr of config.yaml, and plugin_metadata over it. */
export interface TracingSettings {
  readonly traceIdSource: 'random' | 'x-request-id';
  readonly resource: Readonly<Record<string, AttributeValue>>;
  readonly collectorUrl: string;
  readonly requestTimeoutMs: number;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly queueMax: number;
  readonly batchTimeoutMs: number;
  readonly inactiveMs: number;
  readonly batchMax: number;
  readonly setsVariables: boolean;
  /** A CLIENT span for each try at an upstream. */
  readonly hasClientSpans: boolean;
}

const SCALAR = { type: ['string', 'number', 'boolean'] } as const;

export const TRACING_METADATA = {
  type: 'object',
  properties: {
    trace_id_source: {
      type: 'string',
      enum: ['x-request-id', 'random'],
      default: 'random',
      description: 'where trace ids come from',
    },
    resource: { type: 'object', additionalProperties: SCALAR },
    collector: {
      type: 'object',
      properties: {
        address: { type: 'string', default: '127.0.0.1:4318' },
        request_timeout: { type: 'integer', default: 3 },
        request_headers: { type: 'object', additionalProperties: SCALAR },
      },
      default: { address: '127.0.0.1:4318', request_timeout: 3 },
    },
    batch_span_processor: {
      type: 'object',
      properties: {
        drop_on_queue_full: { type: 'boolean' },
        max_queue_size: { type: 'integer' },
        batch_timeout: { type: 'number' },
        inactive_timeout: { type: 'number' },
        max_export_batch_size: { type: 'integer' },
      },
      default: {},
    },
    set_ngx_var: { type: 'boolean', default: false },
    client_spans: {
      type: 'boolean',
      default: true,
      description: 'a CLIENT span for each try at an upstream (not in APISIX)',
    },
  },
} as const;

/** Requests whose spans may wait; a span is 1 to 2 KB, so 32 MB at most. */
const QUEUE_MAX = 16_384;
/** The bound where the configuration asks for none. */
const QUEUE_HARD_MAX = 65_536;

/** Later sources stand over earlier ones, key by key, also within the nested objects. */
export function tracingSettings(
  attributes: PluginConf,
  metadata: PluginConf | undefined,
): TracingSettings {
  const of = (key: string): PluginConf => ({
    ...section(attributes, key),
    ...section(metadata, key),
  });
  const top = { ...attributes, ...metadata };
  const collector = of('collector');
  const batch = of('batch_span_processor');
  const dropsOnFullQueue = batch['drop_on_queue_full'] !== false;
  return {
    traceIdSource: top['trace_id_source'] === 'x-request-id' ? 'x-request-id' : 'random',
    // Checked edge: TRACING_METADATA lets nothing but scalars through.
    resource: { 'service.name': 'APISIX', ...(of('resource') as Record<string, AttributeValue>) },
    collectorUrl: collectorUrl(text(collector['address']) ?? '127.0.0.1:4318'),
    requestTimeoutMs: seconds(collector['request_timeout'], 3),
    requestHeaders: Object.fromEntries(
      Object.entries(section(collector, 'request_headers')).map(([k, v]) => [k, String(v)]),
    ),
    queueMax: dropsOnFullQueue ? count(batch['max_queue_size'], QUEUE_MAX) : QUEUE_HARD_MAX,
    batchTimeoutMs: seconds(batch['batch_timeout'], 5),
    inactiveMs: seconds(batch['inactive_timeout'], 2),
    batchMax: count(batch['max_export_batch_size'], 256),
    setsVariables: top['set_ngx_var'] === true,
    hasClientSpans: top['client_spans'] !== false,
  };
}

/** `host:port`, with or without scheme, path and `/v1/traces`: the path is there once at the end. */
export function collectorUrl(address: string): string {
  const withScheme = /^https?:\/\//.test(address) ? address : `http://${address}`;
  const base = withScheme.replace(/\/+$/, '').replace(/\/v1\/traces$/, '');
  return `${base}/v1/traces`;
}

function section(of: PluginConf | undefined, key: string): PluginConf {
  const found = of?.[key];
  return typeof found === 'object' && found !== null ? (found as PluginConf) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function seconds(value: unknown, fallback: number): number {
  return (typeof value === 'number' && value > 0 ? value : fallback) * 1_000;
}

function count(value: unknown, fallback: number): number {
  return typeof value === 'number' && value >= 1 ? Math.floor(value) : fallback;
}
