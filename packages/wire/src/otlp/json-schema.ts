// Which JSON member is which protobuf field. Source: opentelemetry-proto; OTLP specification, "JSON
// Protobuf Encoding": lowerCamelCase names, ids as hex, 64-bit integers as text or number, enums as
// number (names are tolerated).

export type ScalarKind =
  | 'text'
  | 'bytes'
  | 'id'
  | 'bool'
  | 'int64'
  | 'uint32'
  | 'sint32'
  | 'fixed64'
  | 'sfixed64'
  | 'fixed32'
  | 'double';

export interface JsonField {
  readonly number: number;
  readonly kind: ScalarKind | 'enum' | 'message';
  readonly isRepeated?: true;
  /** Written also when it is the default: a member of a oneof, or `optional`. */
  readonly hasPresence?: true;
  /** Of a message; a function, since values nest. */
  readonly message?: () => JsonMessage;
  /** Of an enum: what stands before each name, and the names by number. */
  readonly names?: readonly string[];
}
export type JsonMessage = Readonly<Record<string, JsonField>>;

const scalar = (number: number, kind: ScalarKind): JsonField => ({ number, kind });
const member = (number: number, kind: ScalarKind): JsonField => {
  return { number, kind, hasPresence: true };
};
const list = (number: number, kind: ScalarKind): JsonField => ({ number, kind, isRepeated: true });
const one = (number: number, message: () => JsonMessage): JsonField => {
  return { number, kind: 'message', message };
};
const many = (number: number, message: () => JsonMessage): JsonField => {
  return { number, kind: 'message', message, isRepeated: true };
};
const named = (number: number, prefix: string, names: readonly string[]): JsonField => {
  return { number, kind: 'enum', names: names.map((name) => `${prefix}_${name}`) };
};

const ANY_VALUE: JsonMessage = {
  stringValue: member(1, 'text'),
  boolValue: member(2, 'bool'),
  intValue: member(3, 'int64'),
  doubleValue: member(4, 'double'),
  arrayValue: one(5, () => ({ values: many(1, () => ANY_VALUE) })),
  kvlistValue: one(6, () => ({ values: ATTRIBUTES(1) })),
  bytesValue: member(7, 'bytes'),
};
const KEY_VALUE: JsonMessage = { key: scalar(1, 'text'), value: one(2, () => ANY_VALUE) };
const ATTRIBUTES = (number: number): JsonField => many(number, () => KEY_VALUE);

const RESOURCE: JsonMessage = {
  attributes: ATTRIBUTES(1),
  droppedAttributesCount: scalar(2, 'uint32'),
};
const SCOPE: JsonMessage = {
  name: scalar(1, 'text'),
  version: scalar(2, 'text'),
  attributes: ATTRIBUTES(3),
  droppedAttributesCount: scalar(4, 'uint32'),
};

/** Resources, in them scopes, in them items. */
function envelope(signal: string, scopes: string, items: string, item: JsonMessage): JsonMessage {
  const scopeItems = {
    scope: one(1, () => SCOPE),
    [items]: many(2, () => item),
    schemaUrl: scalar(3, 'text'),
  };
  const resourceItems = {
    resource: one(1, () => RESOURCE),
    [scopes]: many(2, () => scopeItems),
    schemaUrl: scalar(3, 'text'),
  };
  return { [signal]: many(1, () => resourceItems) };
}

const EVENT: JsonMessage = {
  timeUnixNano: scalar(1, 'fixed64'),
  name: scalar(2, 'text'),
  attributes: ATTRIBUTES(3),
  droppedAttributesCount: scalar(4, 'uint32'),
};
const LINK: JsonMessage = {
  traceId: scalar(1, 'id'),
  spanId: scalar(2, 'id'),
  traceState: scalar(3, 'text'),
  attributes: ATTRIBUTES(4),
  droppedAttributesCount: scalar(5, 'uint32'),
  flags: scalar(6, 'fixed32'),
};
const SPAN: JsonMessage = {
  traceId: scalar(1, 'id'),
  spanId: scalar(2, 'id'),
  traceState: scalar(3, 'text'),
  parentSpanId: scalar(4, 'id'),
  flags: scalar(16, 'fixed32'),
  name: scalar(5, 'text'),
  kind: named(6, 'SPAN_KIND', [
    'UNSPECIFIED',
    'INTERNAL',
    'SERVER',
    'CLIENT',
    'PRODUCER',
    'CONSUMER',
  ]),
  startTimeUnixNano: scalar(7, 'fixed64'),
  endTimeUnixNano: scalar(8, 'fixed64'),
  attributes: ATTRIBUTES(9),
  droppedAttributesCount: scalar(10, 'uint32'),
  events: many(11, () => EVENT),
  droppedEventsCount: scalar(12, 'uint32'),
  links: many(13, () => LINK),
  droppedLinksCount: scalar(14, 'uint32'),
  status: one(15, () => ({
    message: scalar(2, 'text'),
    code: named(3, 'STATUS_CODE', ['UNSET', 'OK', 'ERROR']),
  })),
};

const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((name) =>
  ['', '2', '3', '4'].map((step) => `${name}${step}`),
);
const LOG_RECORD: JsonMessage = {
  timeUnixNano: scalar(1, 'fixed64'),
  observedTimeUnixNano: scalar(11, 'fixed64'),
  severityNumber: named(2, 'SEVERITY_NUMBER', ['UNSPECIFIED', ...SEVERITIES]),
  severityText: scalar(3, 'text'),
  body: one(5, () => ANY_VALUE),
  attributes: ATTRIBUTES(6),
  droppedAttributesCount: scalar(7, 'uint32'),
  flags: scalar(8, 'fixed32'),
  traceId: scalar(9, 'id'),
  spanId: scalar(10, 'id'),
  eventName: scalar(12, 'text'),
};

const EXEMPLAR: JsonMessage = {
  filteredAttributes: ATTRIBUTES(7),
  timeUnixNano: scalar(2, 'fixed64'),
  asDouble: member(3, 'double'),
  asInt: member(6, 'sfixed64'),
  spanId: scalar(4, 'id'),
  traceId: scalar(5, 'id'),
};
const exemplars = (number: number): JsonField => many(number, () => EXEMPLAR);
const TIMES = {
  startTimeUnixNano: scalar(2, 'fixed64'),
  timeUnixNano: scalar(3, 'fixed64'),
} as const;
const NUMBER_POINT: JsonMessage = {
  attributes: ATTRIBUTES(7),
  ...TIMES,
  asDouble: member(4, 'double'),
  asInt: member(6, 'sfixed64'),
  exemplars: exemplars(5),
  flags: scalar(8, 'uint32'),
};
const HISTOGRAM_POINT: JsonMessage = {
  attributes: ATTRIBUTES(9),
  ...TIMES,
  count: scalar(4, 'fixed64'),
  sum: member(5, 'double'),
  bucketCounts: list(6, 'fixed64'),
  explicitBounds: list(7, 'double'),
  exemplars: exemplars(8),
  flags: scalar(10, 'uint32'),
  min: member(11, 'double'),
  max: member(12, 'double'),
};
const BUCKETS: JsonMessage = { offset: scalar(1, 'sint32'), bucketCounts: list(2, 'int64') };
const EXPONENTIAL_POINT: JsonMessage = {
  attributes: ATTRIBUTES(1),
  ...TIMES,
  count: scalar(4, 'fixed64'),
  sum: member(5, 'double'),
  scale: scalar(6, 'sint32'),
  zeroCount: scalar(7, 'fixed64'),
  positive: one(8, () => BUCKETS),
  negative: one(9, () => BUCKETS),
  flags: scalar(10, 'uint32'),
  exemplars: exemplars(11),
  min: member(12, 'double'),
  max: member(13, 'double'),
  zeroThreshold: scalar(14, 'double'),
};
const SUMMARY_POINT: JsonMessage = {
  attributes: ATTRIBUTES(7),
  ...TIMES,
  count: scalar(4, 'fixed64'),
  sum: scalar(5, 'double'),
  quantileValues: many(6, () => ({ quantile: scalar(1, 'double'), value: scalar(2, 'double') })),
  flags: scalar(8, 'uint32'),
};
const TEMPORALITY = named(2, 'AGGREGATION_TEMPORALITY', ['UNSPECIFIED', 'DELTA', 'CUMULATIVE']);
const points = (point: JsonMessage): JsonField => many(1, () => point);
const METRIC: JsonMessage = {
  name: scalar(1, 'text'),
  description: scalar(2, 'text'),
  unit: scalar(3, 'text'),
  gauge: one(5, () => ({ dataPoints: points(NUMBER_POINT) })),
  sum: one(7, () => ({
    dataPoints: points(NUMBER_POINT),
    aggregationTemporality: TEMPORALITY,
    isMonotonic: scalar(3, 'bool'),
  })),
  histogram: one(9, () => ({
    dataPoints: points(HISTOGRAM_POINT),
    aggregationTemporality: TEMPORALITY,
  })),
  exponentialHistogram: one(10, () => ({
    dataPoints: points(EXPONENTIAL_POINT),
    aggregationTemporality: TEMPORALITY,
  })),
  summary: one(11, () => ({ dataPoints: points(SUMMARY_POINT) })),
  metadata: ATTRIBUTES(12),
};

/** The export requests. */
export const OTLP_JSON = {
  traces: envelope('resourceSpans', 'scopeSpans', 'spans', SPAN),
  logs: envelope('resourceLogs', 'scopeLogs', 'logRecords', LOG_RECORD),
  metrics: envelope('resourceMetrics', 'scopeMetrics', 'metrics', METRIC),
} as const;
export type OtlpSignal = keyof typeof OTLP_JSON;
