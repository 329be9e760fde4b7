import type { ApiErrorBody } from '@thalweg/model';

/**
 * Every error that leaves the server: its stable code, the HTTP status and what to do next. Users
 * and tests match the code. A message may hold `{name}` places, filled by `apiError`.
 */
export const ERRORS = {
  bad_request: { status: 400, message: '{reason}', fix: 'correct the named parameter' },
  bad_time_range: {
    status: 400,
    message: 'the time range ends at {end} before it starts at {start}',
    fix: 'give start and end in microseconds since the epoch, start first',
  },
  bad_cursor: {
    status: 400,
    message: 'the cursor is not one that a search answered',
    fix: 'leave the cursor out to start at the first page',
  },
  bad_id: {
    status: 400,
    message: '{id} is neither a decimal id nor a trace id of 16 to 32 hex digits',
    fix: 'copy the id from a search, a span or the traceparent header',
  },
  sql_invalid: { status: 400, message: '{reason}', fix: '{fix}' },
  retention_invalid: {
    status: 400,
    message: '{reason}',
    fix: 'GET /api/retention lists the tables; null takes a choice back',
  },
  ingest_refused: { status: 400, message: '{reason}', fix: 'send a block of the declared columns' },
  unauthorized: {
    status: 401,
    message: 'this server asks for a token',
    fix: 'send the header Authorization: Bearer TOKEN with the token that the server was given',
  },
  route_not_found: {
    status: 404,
    message: 'no route {method} {path}',
    fix: 'see /api/openapi.json for what there is',
  },
  trace_not_found: {
    status: 404,
    message: 'no trace, span or exchange has the id {id}',
    fix: 'it may have expired, or not have arrived yet: search again in a few seconds',
  },
  table_not_found: {
    status: 404,
    message: 'no table {table}',
    fix: 'post to one of: {tables}',
  },
  body_too_large: {
    status: 413,
    message: 'the body is larger than {limit} bytes',
    fix: 'send smaller batches',
  },
  unsupported_media: {
    status: 415,
    message: 'cannot read a body of type {type}',
    fix: '{fix}',
  },
  query_limit: {
    status: 422,
    message: 'the query took more than it may: {reason}',
    fix: 'narrow the time range, add a filter or lower LIMIT',
  },
  internal: {
    status: 500,
    message: 'the server failed at this request; its log has the reason under {request}',
    fix: 'report it with the request id',
  },
  query_failed: {
    status: 500,
    message: 'the store refused the query: {reason}',
    fix: 'check that the types of compared values agree with the columns',
  },
  closing: {
    status: 503,
    message: 'the server is ending and takes no more rows',
    fix: 'send it again after the time in Retry-After',
  },
  disk_failed: {
    status: 503,
    message: 'the disk did not take the rows, and none were kept',
    fix: 'send it again after the time in Retry-After; /api/status has the reason',
  },
  disk_full: {
    status: 503,
    message: 'the disk of the spool is full, and no rows were kept',
    fix: 'give the data directory room; the same batch is taken as soon as there is some',
  },
  spool_full: {
    status: 503,
    message: 'the spool is full: the store is behind or away',
    fix: 'send it again after the time in Retry-After',
  },
  store_unavailable: {
    status: 503,
    message: 'the store does not answer',
    fix: 'try again in a few seconds; /api/status says how the store is',
  },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** An answer that is an error. Thrown inside a request; the API's error handler sends it. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly fix: string;
  /** Offset into the SQL text, where the error has a place. */
  readonly position: number | undefined;
  constructor(code: ErrorCode, message: string, fix: string, position?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ApiError';
    this.code = code;
    this.status = ERRORS[code].status;
    this.fix = fix;
    this.position = position;
  }
}

/** Fills the places of the catalogue's texts; a place without a value stays empty. */
export function apiError(
  code: ErrorCode,
  places: Readonly<Record<string, string | number>> = {},
  extra: { readonly position?: number | undefined; readonly cause?: unknown } = {},
): ApiError {
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (_, name: string) => String(places[name] ?? ''));
  const entry = ERRORS[code];
  return new ApiError(code, fill(entry.message), fill(entry.fix), extra.position, extra.cause);
}

export function errorBody(error: ApiError): ApiErrorBody {
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(error.fix === '' ? {} : { fix: error.fix }),
      ...(error.position === undefined ? {} : { position: error.position }),
    },
  };
}

export type StartErrorCode = 'port_in_use' | 'bind_refused' | 'config_invalid' | 'start_failed';

/** The server could not start. `fix` says what the operator can do. */
export class StartError extends Error {
  readonly code: StartErrorCode;
  readonly fix: string;
  constructor(code: StartErrorCode, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
    this.code = code;
    this.fix = fix;
  }
}
