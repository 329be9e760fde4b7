import { z } from 'zod';

// Shapes of the UI's JSON API (`/api/*`). Ids are decimal strings: they exceed 2^53. Times are
// microseconds since the epoch. OpenAPI at /api/openapi.json is generated from these schemas.

/** The one error envelope. `code` is stable; `fix` says what to do next. */
export const ApiErrorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    fix: z.string().optional(),
    position: z.number().optional(),
  }),
});
export type ApiErrorBody = z.infer<typeof ApiErrorBody>;

const Micros = z.coerce.number().int().nonnegative();
const CommaList = z.string().transform((text) => text.split(',').filter((part) => part !== ''));

/** GET /api/traces: the newest first; `cursor` of an answer asks for the next page. */
export const TraceSearchQuery = z.object({
  start: Micros,
  end: Micros,
  service: CommaList.optional(),
  endpoint: z.string().optional(),
  method: CommaList.optional(),
  /** `error`, `4xx`, `5xx`, or codes such as `200`. */
  status: CommaList.optional(),
  min_duration_us: z.coerce.number().nonnegative().optional(),
  max_duration_us: z.coerce.number().nonnegative().optional(),
  /** Substring of path, host, trace id, request id. */
  text: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().optional(),
});
export type TraceSearchQuery = z.infer<typeof TraceSearchQuery>;

export const TraceSummary = z.object({
  /** Follows aliases: two pages name one trace the same while no new row joins it. */
  traceId: z.string(),
  /** The span that a click opens: the trace's earliest. */
  spanId: z.string(),
  startUs: z.number(),
  durationUs: z.number(),
  service: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  endpoint: z.string(),
  status: z.number(),
  isError: z.boolean(),
  /** Host of the span that it opens. */
  hostName: z.string(),
  spanCount: z.number(),
  /** Of these the network spans: the views of network interfaces. */
  networkSpanCount: z.number(),
  serviceCount: z.number(),
  /** The entry's answer was seen. */
  isAnswered: z.boolean(),
  /** Exchanges without a known parent: 1 when the trace is one tree, and where only SDKs saw it. */
  rootCount: z.number(),
});
export type TraceSummary = z.infer<typeof TraceSummary>;

export const TraceSearchAnswer = z.object({
  traces: z.array(TraceSummary),
  cursor: z.string().optional(),
  /** What spoils the answer: events lost in the time range, rows refused. Shown beside it. */
  lost: z.object({ events: z.number(), rows: z.number() }),
});
export type TraceSearchAnswer = z.infer<typeof TraceSearchAnswer>;

export const Span = z.object({
  spanId: z.string(),
  parentId: z.string().nullable(),
  wireId: z.string(),
  signal: z.enum(['A', 'S', 'N']),
  observationPoint: z.string(),
  service: z.string(),
  processName: z.string(),
  pid: z.number(),
  hostName: z.string(),
  startUs: z.number(),
  endUs: z.number(),
  /**
   * How far the clock that its times were taken by is ahead of the trace's first one, give or take
   * `errorUs`: taken off its times. Absent where both agree within that, or nothing tells.
   */
  clock: z.object({ offsetUs: z.number(), errorUs: z.number() }).optional(),
  protocol: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  endpoint: z.string(),
  status: z.number(),
  isError: z.boolean(),
  /** The answer was seen; databases answer without a code. */
  isAnswered: z.boolean(),
  isLossy: z.boolean(),
  /** How the parent is known. Null for a root. */
  link: z
    .object({
      probability: z.number(),
      evidence: z.array(z.string()),
      candidates: z.array(z.object({ wireId: z.string(), probability: z.number() })),
    })
    .nullable(),
  /** Columns of the row and attributes, by name, as text. Columns that are empty or 0 are left out. */
  fields: z.record(z.string(), z.string()),
});
export type Span = z.infer<typeof Span>;

/** GET /api/traces/{id}: by trace id, root, span id or wire id. Spans in tree order (pre-order). */
export const TraceAnswer = z.object({
  traceId: z.string(),
  startUs: z.number(),
  endUs: z.number(),
  spans: z.array(Span),
  /** More spans exist than were read. */
  isTruncated: z.boolean(),
  expectedWrongLinks: z.number(),
});
export type TraceAnswer = z.infer<typeof TraceAnswer>;

/** GET /api/values: values of a field for completion, the most frequent first. */
export const ValuesQuery = z.object({
  field: z.enum(['service', 'endpoint', 'method', 'status', 'host']),
  start: Micros,
  end: Micros,
  prefix: z.string().max(256).default(''),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type ValuesQuery = z.infer<typeof ValuesQuery>;
export const ValuesAnswer = z.object({
  values: z.array(z.object({ value: z.string(), count: z.number() })),
});
export type ValuesAnswer = z.infer<typeof ValuesAnswer>;

/** GET /api/latency: requests counted by time and log2 latency, for the heat map. Same filters. */
export const LatencyAnswer = z.object({
  startUs: z.number(),
  bucketUs: z.number(),
  /** Row i counts durations in [2^(i/2), 2^((i+1)/2)) µs. */
  cells: z.array(
    // `time` is the start of the bucket, µs since the epoch.
    z.object({ time: z.number(), row: z.number(), count: z.number(), errors: z.number() }),
  ),
});
export type LatencyAnswer = z.infer<typeof LatencyAnswer>;

/** GET /api/link-calibration: of one service's calls; times in µs. */
export const LinkCalibrationQuery = z.object({ service: z.string(), start: Micros, end: Micros });
export type LinkCalibrationQuery = z.infer<typeof LinkCalibrationQuery>;

/**
 * How evidence alone linked calls whose ids tell the truth: to the right request, to a wrong one,
 * or to none. `solid…` are those of them with a probability of at least `LINK_SOLID`.
 */
export const LinkCalibrationAnswer = z.object({
  right: z.number(),
  wrong: z.number(),
  open: z.number(),
  solidRight: z.number(),
  solidWrong: z.number(),
});
export type LinkCalibrationAnswer = z.infer<typeof LinkCalibrationAnswer>;
