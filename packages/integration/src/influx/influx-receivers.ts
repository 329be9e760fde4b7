import { decodeInfluxLines } from '@thalweg/wire';
import {
  type Answer,
  type Fault,
  faultAnswer,
  type Received,
  type Receiver,
} from '../door/receiver.ts';
import { emptyFault, type Taken, takenOf, writtenFault } from '../list-answer.ts';
import type { MetricWriter } from '../metric-writer.ts';
import { writeInfluxPoints } from './influx-metrics.ts';

/** The version whose API is spoken: clients look at its first number. */
const INFLUX_VERSION = '1.8.10';
const BODY_BYTES_MAX = 32 * 2 ** 20;

export interface InfluxOptions {
  readonly metrics: MetricWriter;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Shape = (fault: Fault) => Answer;

/**
 * Telegraf's and InfluxDB clients' writes. 204 when every line is on disk. 400 names the first line
 * that was not understood; the others are kept, and clients do not send a 400 again.
 */
export function influxReceivers(options: InfluxOptions): Receiver[] {
  const write = (name: string, path: string, shape: Shape): Receiver => ({
    name,
    paths: [path],
    bodyBytesMax: BODY_BYTES_MAX,
    handle: (request) => takeLines(request, options, shape),
    fault: shape,
  });
  return [
    write('influx_telegraf', '/api/v1/telegraf', faultAnswer),
    write('influx_v1', '/write', faultV1),
    write('influx_v2', '/api/v2/write', faultV2),
    {
      name: 'influx_ping',
      paths: ['/ping'],
      methods: ['GET', 'HEAD', 'POST'],
      handle: () => ({ status: 204, headers: { 'x-influxdb-version': INFLUX_VERSION } }),
    },
    {
      name: 'influx_query',
      paths: ['/query'],
      methods: ['GET', 'POST'],
      handle: answerQuery,
      fault: faultV1,
    },
  ];
}

async function takeLines(
  request: Received,
  { metrics, now }: InfluxOptions,
  shape: Shape,
): Promise<Answer> {
  const { query, body } = request;
  const lines = decodeInfluxLines(body, query.get('precision') || 'ns');
  if (lines.kind === 'invalid') {
    return shape({ status: 400, code: 'body_invalid', message: lines.reason });
  }
  const database = query.get('db') ?? query.get('bucket') ?? '';
  const labels = database === '' ? [] : [['db', database] as const];
  let stringFields = 0;
  const written = await metrics.write((batch) => {
    const counts = writeInfluxPoints(lines.value.items, batch, { nowMs: now(), labels });
    stringFields = counts.stringFields;
    return '';
  });
  if (written.status !== 'kept') {
    const { status } = written;
    return shape(
      writtenFault(status === 'malformed' ? { status, reason: written.message } : written) ?? {
        status: 500,
        code: 'internal',
        message: 'not kept',
      },
    );
  }
  const { samples, refused, firstRefusal } = written;
  const list = takenOf(lines.value, samples, 'line');
  const taken: Taken = {
    rows: samples,
    rejected: list.rejected + refused + stringFields,
    firstRefusal: lineRefusal(lines.value.firstRefusal) || (firstRefusal?.message ?? ''),
  };
  const counts = { rows: samples, rejected: taken.rejected };
  if (taken.firstRefusal === '') {
    return { status: 204, ...counts, reason: stringFields > 0 ? 'string_field' : '' };
  }
  const empty = emptyFault(taken);
  const dropped = list.rejected + refused;
  const message = `partial write: ${taken.firstRefusal} dropped=${dropped}`;
  const fault = empty ?? { status: 400, code: 'partial_write', message };
  const reason = firstRefusal?.code ?? 'line_invalid';
  return { ...shape({ ...fault, message }), ...counts, reason };
}

/** People count lines from 1. */
function lineRefusal(
  refusal: { readonly at: number; readonly reason: string } | undefined,
): string {
  return refusal === undefined ? '' : `line ${refusal.at + 1}: ${refusal.reason}`;
}

/** Telegraf creates its database at start. There is nothing to create; other queries are refused. */
function answerQuery({ query, body, mediaType }: Received): Answer {
  const isForm = mediaType === 'application/x-www-form-urlencoded';
  const form = isForm ? new URLSearchParams(body.toString().slice(0, 4_096)) : undefined;
  const statement = query.get('q') ?? form?.get('q') ?? '';
  if (/^\s*create\s+database\s/i.test(statement)) {
    const results = JSON.stringify({ results: [{ statement_id: 0 }] });
    return { status: 200, mediaType: 'application/json', body: `${results}\n` };
  }
  const message = 'only CREATE DATABASE is answered here; query with PromQL at /prom/api/v1';
  return faultV1({ status: 400, code: 'query_unsupported', message });
}

/** Source: InfluxDB 1.8, "API reference". */
function faultV1(fault: Fault): Answer {
  const { message, code, status } = fault;
  return {
    status,
    mediaType: 'application/json',
    headers: { 'x-influxdb-version': INFLUX_VERSION, 'x-influxdb-error': asHeader(message) },
    body: `${JSON.stringify({ error: message })}\n`,
    reason: code,
  };
}

/** Codes of InfluxDB 2 by status. Source: its OpenAPI description, schema Error. */
const V2_CODES: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthorized',
  404: 'not found',
  405: 'method not allowed',
  413: 'request too large',
  429: 'too many requests',
  503: 'unavailable',
};

function faultV2({ status, message, code }: Fault): Answer {
  return {
    status,
    mediaType: 'application/json',
    body: `${JSON.stringify({ code: V2_CODES[status] ?? 'internal error', message })}\n`,
    reason: code,
  };
}

/** A header holds visible ASCII only; the whole message is in the body. */
function asHeader(message: string): string {
  return message.replace(/[^\x20-\x7e]/g, '?').slice(0, 512);
}
