import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { apiError } from '../errors.ts';
import { instantAnswer, rangeAnswer } from '../tempo/metrics-answer.ts';
import { queryTraceMetrics, type TraceMetrics } from '../traceql/metrics.ts';
import { parseTraceql } from '../traceql/parse.ts';
import type { Grid } from '../traceql/series-fold.ts';
import { DURATION, durationNs } from '../traceql/tokens.ts';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { untilGone } from './until-gone.ts';

// Metrics queries of TraceQL, as Grafana's Tempo data source and its Traces Drilldown send them.
// Source: Tempo's documentation, "Tempo HTTP API", TraceQL metrics.

const TRACES_MAX = 5_000;
const INTERVALS_MAX = 11_000;
const EXEMPLARS_MAX = 1_000;
const HOUR_NS = 3_600e9;
/** Steps that are chosen where none is given, seconds: about a hundred intervals. */
const STEPS_S = [1, 5, 10, 15, 30, 60, 300, 600, 1_800, 3_600, 21_600, 86_400];
const INTERVALS_WANTED = 120;

const Text = z.string().max(64).optional();
const Asked = z
  .object({
    q: z.string().optional(),
    query: z.string().optional(),
    start: Text,
    end: Text,
    since: Text,
    step: Text,
    exemplars: z.coerce.number().int().min(0).max(EXEMPLARS_MAX).default(0),
  })
  .refine(({ q, query }) => (q ?? query ?? '') !== '', { path: ['q'], message: 'is missing' });

export function addTempoMetricsRoutes(
  tempo: FastifyInstance,
  { store, now }: Pick<Services, 'store' | 'now'>,
): void {
  tempo.get('/tempo/api/metrics/query_range', async (request, reply) => {
    const asked = parseInput(Asked, request.query);
    const grid = rangeGrid(timesOf(asked, now()), asked.step);
    return rangeAnswer(await run(asked, grid, asked.exemplars, reply), grid);
  });
  tempo.get('/tempo/api/metrics/query', async (request: FastifyRequest, reply) => {
    const asked = parseInput(Asked, request.query);
    const { startUs, endUs } = timesOf(asked, now());
    const grid = { fromUs: startUs, stepUs: endUs - startUs, count: 1 };
    return instantAnswer(await run(asked, grid, 0, reply));
  });

  function run(
    { q, query }: z.infer<typeof Asked>,
    grid: Grid,
    exemplarsMax: number,
    reply: FastifyReply,
  ): Promise<TraceMetrics> {
    const parsed = parseTraceql(q ?? query ?? '');
    const { metrics } = parsed;
    if (metrics === undefined) {
      throw apiError('bad_request', {
        reason: 'q: a metrics query such as { } | rate() is expected',
      });
    }
    const options = { query: parsed, metrics, grid, tracesMax: TRACES_MAX, exemplarsMax, now };
    return queryTraceMetrics(untilGone(store, reply), options);
  }
}

interface Times {
  readonly startUs: number;
  readonly endUs: number;
}

/** The last hour where nothing is said. */
function timesOf({ start, end, since }: z.infer<typeof Asked>, nowMs: number): Times {
  const endUs = end === undefined ? nowMs * 1e3 : timeUs('end', end);
  const sinceUs = (since === undefined ? HOUR_NS : lengthNs('since', since)) / 1e3;
  const startUs = start === undefined ? endUs - sinceUs : timeUs('start', start);
  if (!(startUs < endUs)) throw apiError('bad_request', { reason: 'end: it must be behind start' });
  return { startUs: Math.floor(startUs), endUs: Math.ceil(endUs) };
}

/** Unix seconds, unix nanoseconds, or a date and time of RFC 3339. */
function timeUs(name: string, text: string): number {
  const number = Number(text);
  if (text !== '' && Number.isFinite(number)) return number > 1e15 ? number / 1e3 : number * 1e6;
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms * 1e3;
  throw apiError('bad_request', {
    reason: `${name}: seconds, nanoseconds or RFC 3339 is expected`,
  });
}

function lengthNs(name: string, text: string): number {
  const ns = DURATION.test(text) ? durationNs(text) : Number(text) * 1e9;
  if (text !== '' && ns > 0 && Number.isFinite(ns)) return ns;
  throw apiError('bad_request', { reason: `${name}: a duration such as 15s is expected` });
}

/** Intervals aligned to the step that hold the whole range. */
function rangeGrid({ startUs, endUs }: Times, step: string | undefined): Grid {
  const wantedS = (endUs - startUs) / 1e6 / INTERVALS_WANTED;
  const chosenS = STEPS_S.find((one) => one >= wantedS) ?? 86_400;
  const stepUs = step === undefined ? chosenS * 1e6 : Math.ceil(lengthNs('step', step) / 1e3);
  const fromUs = Math.floor(startUs / stepUs) * stepUs;
  const count = Math.ceil((endUs - fromUs) / stepUs);
  if (count > INTERVALS_MAX) {
    const reason = `step: ${count} intervals, the most is ${INTERVALS_MAX}`;
    throw apiError('bad_request', { reason });
  }
  return { fromUs, stepUs, count };
}
