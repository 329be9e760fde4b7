import { setImmediate as pause } from 'node:timers/promises';
import {
  DEFAULT_LIMITS,
  evaluateInstant,
  evaluateRange,
  type QueryAnswer,
  type QueryOptions,
  type QueryValue,
} from '@thalweg/promql';
import type { FastifyReply } from 'fastify';
import { badParameter, PrometheusError, sendData, sendError } from './envelope.ts';
import { valueJson } from './json.ts';
import { type Parameters, readDurationMs, readLimit, readTime } from './parameters.ts';
import type { PrometheusContext, PrometheusRequest } from './route.ts';
import { statsJson } from './stats.ts';

/** GET and POST query: one instant. */
export async function answerQuery(
  { parameters, signal }: PrometheusRequest,
  reply: FastifyReply,
  context: PrometheusContext,
): Promise<FastifyReply> {
  const limit = readLimit(parameters);
  const timeMs = readTime(parameters, 'time', context.now());
  const options = optionsOf(parameters, signal, context);
  const startedMs = performance.now();
  const answer = await evaluateInstant(parameters.get('query'), { timeMs }, options);
  return send(reply, answer, { limit, parameters, startedMs });
}

/** GET and POST query_range: each step of a range. */
export async function answerQueryRange(
  { parameters, signal }: PrometheusRequest,
  reply: FastifyReply,
  context: PrometheusContext,
): Promise<FastifyReply> {
  const limit = readLimit(parameters);
  const startMs = readTime(parameters, 'start');
  const endMs = readTime(parameters, 'end');
  if (endMs < startMs) throw badParameter('end', 'end timestamp must not be before start time');
  const stepMs = readDurationMs(parameters, 'step');
  if (stepMs === undefined) throw badParameter('step', 'cannot parse "" to a valid duration');
  if (stepMs <= 0) {
    throw badParameter(
      'step',
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  const times = { startMs, endMs, stepMs: Math.max(1, Math.round(stepMs)) };
  const options = optionsOf(parameters, signal, context);
  const startedMs = performance.now();
  const answer = await evaluateRange(parameters.get('query'), times, options);
  return send(reply, answer, { limit, parameters, startedMs });
}

function optionsOf(
  parameters: Parameters,
  signal: AbortSignal,
  { source }: PrometheusContext,
): QueryOptions {
  const timeoutMs = readDurationMs(parameters, 'timeout') ?? Number.POSITIVE_INFINITY;
  if (timeoutMs <= 0) throw badParameter('timeout', 'the timeout must be positive');
  const lookbackMs = readDurationMs(parameters, 'lookback_delta');
  if (lookbackMs !== undefined && lookbackMs <= 0) {
    throw new PrometheusError('bad_data', 'lookback delta must be positive');
  }
  return {
    source,
    signal,
    wantsTrace: parameters.get('stats') === 'all',
    limits: { durationMsMax: Math.min(timeoutMs, DEFAULT_LIMITS.durationMsMax) },
    ...(lookbackMs === undefined ? {} : { lookbackMs }),
    host: { nowMs: () => performance.now(), pause: () => pause() },
  };
}

function send(
  reply: FastifyReply,
  answer: QueryAnswer,
  how: { readonly limit: number; readonly parameters: Parameters; readonly startedMs: number },
): FastifyReply {
  if (answer.kind === 'error') {
    const { type, message } = answer.error;
    // Prometheus says of a text that it cannot parse that the parameter is bad.
    const isParse =
      type === 'bad_data' && /^\d+:\d+: parse error: |^invalid expression type/.test(message);
    const named = isParse ? `invalid parameter "query": ${message}` : message;
    return sendError(reply, { type, message: named }, answer.annotations);
  }
  const cut = truncated(answer.value, how.limit);
  const stats = how.parameters.get('stats');
  const json = valueJson(cut.value);
  const withStats = (): Buffer =>
    Buffer.concat([
      json.subarray(0, -1),
      Buffer.from(`,"stats":${statsJson(answer, how.startedMs)}}`),
    ]);
  const data = stats === '' ? json : withStats();
  return sendData(reply, data, {
    ...answer.annotations,
    warnings: [...answer.annotations.warnings, ...cut.warnings],
  });
}

/** At most `limit` series; 0: all. */
function truncated(
  value: QueryValue,
  limit: number,
): { readonly value: QueryValue; readonly warnings: readonly string[] } {
  const warnings = ['results truncated due to limit'];
  if (limit > 0 && value.kind === 'vector' && value.samples.length > limit) {
    return { value: { ...value, samples: value.samples.slice(0, limit) }, warnings };
  }
  if (limit > 0 && value.kind === 'matrix' && value.series.length > limit) {
    return { value: { ...value, series: value.series.slice(0, limit) }, warnings };
  }
  return { value, warnings: [] };
}
