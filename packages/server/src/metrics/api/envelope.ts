import type { Annotations, QueryError } from '@thalweg/promql';
import type { FastifyReply } from 'fastify';
import { StoreError } from '../../storage/store.ts';

/** Kinds of errors of Prometheus's API, with the status that each has. */
const STATUSES = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  unavailable: 503,
  not_found: 404,
  not_acceptable: 406,
} as const;
export type PrometheusErrorType = keyof typeof STATUSES;

/** An answer of the Prometheus API that is an error. */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError';
  readonly type: PrometheusErrorType;
  constructor(type: PrometheusErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

export function badParameter(name: string, reason: string): PrometheusError {
  return new PrometheusError('bad_data', `invalid parameter "${name}": ${reason}`);
}

/** `data` is JSON already, as bytes of UTF-8 where it is not text. */
export function sendData(
  reply: FastifyReply,
  data: string | Buffer,
  notes: Partial<Annotations> = {},
): FastifyReply {
  const end = `${notesJson(notes)}}`;
  reply.type('application/json');
  if (typeof data === 'string') return reply.send(SUCCESS + data + end);
  return reply.send(Buffer.concat([Buffer.from(SUCCESS), data, Buffer.from(end)]));
}

const SUCCESS = '{"status":"success","data":';

function notesJson({ warnings = [], infos = [] }: Partial<Annotations>): string {
  const list = (name: string, texts: readonly string[]): string =>
    texts.length === 0 ? '' : `,"${name}":${JSON.stringify(texts)}`;
  return list('warnings', warnings) + list('infos', infos);
}

export function sendError(
  reply: FastifyReply,
  error: QueryError | PrometheusError,
  notes: Partial<Annotations> = {},
): FastifyReply {
  const { type, message } = error;
  if (STATUSES[type] === 503) reply.header('retry-after', '1');
  const head = `{"status":"error","errorType":"${type}","error":${JSON.stringify(message)}`;
  return reply
    .status(STATUSES[type])
    .type('application/json')
    .send(`${head}${notesJson(notes)}}`);
}

/** What any thrown thing is in Prometheus's terms. */
export function toPrometheusError(thrown: unknown): PrometheusError {
  if (thrown instanceof PrometheusError) return thrown;
  const cause = { cause: thrown };
  if (thrown instanceof StoreError) {
    switch (thrown.code) {
      case 'store_limit':
        return new PrometheusError('execution', thrown.message, cause);
      case 'store_aborted':
        return new PrometheusError('canceled', 'query was canceled', cause);
      case 'store_unavailable':
      case 'store_locked':
        return new PrometheusError('unavailable', 'the store does not answer', cause);
      case 'store_query_failed':
        return new PrometheusError('internal', thrown.message, cause);
    }
  }
  if (thrown instanceof Error && thrown.name === 'SourceLimitError') {
    return new PrometheusError('execution', thrown.message, cause);
  }
  return new PrometheusError('internal', 'the server failed at this request', cause);
}
