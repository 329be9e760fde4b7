import { compileExpression } from '../../core/match/expression.ts';
import type { Expression } from '../../core/objects.ts';
import { PENDING_FIELD } from '../batch/batch-fields.ts';

type LogFormat = Readonly<Record<string, unknown>>;

/** What every plugin that logs requests can be told about its entries. */
export interface LogFields {
  readonly log_format?: LogFormat;
  readonly log_format_extra?: LogFormat;
  readonly include_req_body: boolean;
  readonly include_req_body_expr?: Expression;
  readonly include_resp_body: boolean;
  readonly include_resp_body_expr?: Expression;
  readonly max_req_body_bytes: number;
  readonly max_resp_body_bytes: number;
}

const BODY_BYTES_MAX = 524_288;
const EXPRESSION = { type: 'array', minItems: 1 } as const;

export const LOG_FIELDS = {
  log_format: { type: 'object' },
  log_format_extra: { type: 'object' },
  include_req_body: { type: 'boolean', default: false },
  include_req_body_expr: EXPRESSION,
  include_resp_body: { type: 'boolean', default: false },
  include_resp_body_expr: EXPRESSION,
  max_req_body_bytes: { type: 'integer', minimum: 1, default: BODY_BYTES_MAX },
  max_resp_body_bytes: { type: 'integer', minimum: 1, default: BODY_BYTES_MAX },
} as const;

/** What metadata may say for all configurations of a plugin that logs. */
export const LOG_METADATA = {
  log_format: LOG_FIELDS.log_format,
  log_format_extra: LOG_FIELDS.log_format_extra,
  ...PENDING_FIELD,
} as const;

export const LOG_METADATA_SCHEMA = { type: 'object', properties: LOG_METADATA } as const;

/** Where entries go that are sent over a socket. */
export interface SocketFields {
  readonly host: string;
  readonly port: number;
}

export const SOCKET_FIELDS = {
  host: { type: 'string' },
  port: { type: 'integer', minimum: 0 },
} as const;

/** What is wrong with the expressions, in APISIX's wording. */
export function logFieldsFault(conf: Partial<LogFields>): string | undefined {
  for (const field of ['include_req_body_expr', 'include_resp_body_expr'] as const) {
    const given = conf[field];
    if (given === undefined) continue;
    const compiled = compileExpression(given);
    if (compiled.kind === 'invalid') {
      return `failed to validate the '${field}' expression: ${compiled.reason}`;
    }
  }
  return undefined;
}
