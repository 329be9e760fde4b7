/** Source: SkyWalking data collect protocol, language-agent/Tracing.proto. */
export type SkywalkingSpanType = 'Entry' | 'Exit' | 'Local';
export type SkywalkingLayer =
  | 'Unknown'
  | 'Database'
  | 'RPCFramework'
  | 'Http'
  | 'MQ'
  | 'Cache'
  | 'FAAS';

export const SPAN_TYPES: readonly SkywalkingSpanType[] = ['Entry', 'Exit', 'Local'];
export const LAYERS: readonly SkywalkingLayer[] = [
  'Unknown',
  'Database',
  'RPCFramework',
  'Http',
  'MQ',
  'Cache',
  'FAAS',
];

export type SkywalkingTag = readonly [key: string, value: string];

/** Where a segment was called from. */
export interface SkywalkingReference {
  readonly isCrossThread: boolean;
  readonly traceId: string;
  readonly parentSegmentId: string;
  readonly parentSpanIndex: number;
  readonly parentService: string;
  readonly parentInstance: string;
  readonly parentEndpoint: string;
  /** The address that the caller used. */
  readonly peer: string;
}

export interface SkywalkingLog {
  readonly timeMs: number;
  readonly data: readonly SkywalkingTag[];
}

export interface SkywalkingSpan {
  /** Counts from 0 in the segment. */
  readonly index: number;
  /** -1 for the first span of a segment. */
  readonly parentIndex: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly references: readonly SkywalkingReference[];
  readonly operationName: string;
  readonly peer: string;
  readonly type: SkywalkingSpanType;
  readonly layer: SkywalkingLayer;
  readonly componentId: number;
  readonly isError: boolean;
  readonly tags: readonly SkywalkingTag[];
  readonly logs: readonly SkywalkingLog[];
}

/** The spans of one trace in one thread. */
export interface SkywalkingSegment {
  readonly traceId: string;
  readonly segmentId: string;
  readonly service: string;
  readonly instance: string;
  readonly spans: readonly SkywalkingSpan[];
}

export const SKYWALKING_LIMITS = {
  segmentsMax: 10_000,
  spansMax: 10_000,
  referencesMax: 64,
  tagsMax: 256,
  logsMax: 128,
} as const;

/** Why the segment is none; undefined when it is one. */
export function segmentFault(segment: SkywalkingSegment): string | undefined {
  if (segment.traceId === '') return 'traceId is missing';
  if (segment.segmentId === '') return 'traceSegmentId is missing';
  if (segment.spans.length === 0) return 'no spans';
  const { spansMax } = SKYWALKING_LIMITS;
  if (segment.spans.length > spansMax) return `more than ${spansMax} spans`;
  const odd = segment.spans.find(({ index, startMs, endMs }) => {
    return !(Number.isInteger(index) && index >= 0 && startMs > 0 && endMs >= startMs);
  });
  if (odd === undefined) return undefined;
  return `span ${odd.index}: spanId is negative, or it ends before it starts`;
}
