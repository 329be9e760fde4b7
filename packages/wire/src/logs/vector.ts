import { isObject, type JsonObject, printed, textOf } from '../json.ts';
import {
  LOG_LIMITS,
  type LogAttribute,
  type LogRecord,
  type LogType,
  readLevel,
} from './record.ts';
import { readTimestampUs } from './timestamp.ts';

const TYPES: readonly LogType[] = ['user', 'system', 'audit', 'agent'];

/** Keys with a place of their own; every other one becomes an attribute. */
const KNOWN = new Set([
  'message',
  'timestamp',
  'level',
  'severity',
  '_df_log_type',
  'app_service',
  'app_instance',
  'trace_id',
  'span_id',
  'x_request_id',
  'json',
  'metrics',
  'kubernetes',
]);

/** Kubernetes metadata as Vector has it, under OpenTelemetry's names. */
const KUBERNETES: Readonly<Record<string, string>> = {
  pod_name: 'k8s.pod.name',
  pod_ip: 'k8s.pod.ip',
  pod_uid: 'k8s.pod.uid',
  pod_namespace: 'k8s.namespace.name',
  pod_node_name: 'k8s.node.name',
  container_name: 'k8s.container.name',
};

/**
 * Reads an event of Vector's `http` sink. Undefined when it has no `message`; a text says what is
 * wrong with the one that it has.
 */
export function readVectorLog(event: JsonObject): LogRecord | string | undefined {
  const { message } = event;
  if (message === undefined) return undefined;
  if (typeof message !== 'string' || message === '') return 'message is empty or no text';
  const stamp = event['timestamp'];
  const timeUs = stamp === undefined ? undefined : readTimestampUs(stamp);
  if (stamp !== undefined && timeUs === undefined) return 'timestamp is neither RFC 3339 nor epoch';
  const attributes: LogAttribute[] = [];
  const metrics: (readonly [string, number])[] = [];
  const add = (name: string, value: unknown): void => {
    if (attributes.length < LOG_LIMITS.attributesMax) attributes.push([name, printed(value)]);
  };
  readMetrics(event['metrics'], metrics, add);
  if (isObject(event['json'])) for (const name in event['json']) add(name, event['json'][name]);
  const kubernetes = isObject(event['kubernetes']) ? event['kubernetes'] : {};
  for (const name in KUBERNETES) {
    const attribute = KUBERNETES[name];
    const value = kubernetes[name];
    if (attribute !== undefined && value !== undefined) add(attribute, value);
  }
  for (const name in event) if (!KNOWN.has(name)) add(name, event[name]);
  return {
    timeUs,
    type: TYPES.find((type) => type === event['_df_log_type']) ?? 'user',
    level: readLevel(textOf(event['level']) || textOf(event['severity'])),
    body: message,
    service: textOf(event['app_service']) || textOf(kubernetes['container_name']),
    instance: textOf(event['app_instance']) || textOf(kubernetes['pod_name']),
    traceId: textOf(event['trace_id']),
    spanId: textOf(event['span_id']),
    requestId: textOf(event['x_request_id']),
    attributes,
    metrics,
  };
}

/** What is no number is an attribute. */
function readMetrics(
  value: unknown,
  metrics: (readonly [string, number])[],
  add: (name: string, value: unknown) => void,
): void {
  if (!isObject(value)) return;
  for (const name in value) {
    const raw = value[name];
    const number = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
    if (typeof number !== 'number' || !Number.isFinite(number)) add(name, raw);
    else if (metrics.length < LOG_LIMITS.metricsMax) metrics.push([name, number]);
  }
}
