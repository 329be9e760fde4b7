import { parsePromql } from '@thalweg/promql';
import type { FastifyReply } from 'fastify';
import { FLOW_METRICS } from '../flow-metrics.ts';
import { badParameter, sendData } from './envelope.ts';
import { formatTime, formatValue, labelsJson } from './json.ts';
import { readLimit, readTime } from './parameters.ts';
import type { PrometheusContext, PrometheusRequest } from './route.ts';
import { selectorsOf } from './selectors.ts';

const METRICS_MAX = 100_000;

/** GET metadata: what senders said of their metrics, the newest of each kind first. */
export async function answerMetadata(
  { parameters, signal }: PrometheusRequest,
  reply: FastifyReply,
  { store }: PrometheusContext,
): Promise<FastifyReply> {
  const limit = readLimit(parameters);
  const perMetric = readLimit(parameters, 'limit_per_metric');
  const metric = parameters.get('metric');
  const { rows } = await store.query(
    `SELECT metric, type, unit, help, max(time) AS said FROM prometheus.metadata
     WHERE {metric:String} = '' OR metric = {metric:String}
     GROUP BY metric, type, unit, help ORDER BY metric, said DESC`,
    { params: { metric }, limits: { rowsMax: METRICS_MAX }, signal },
  );
  const byMetric = new Map<string, object[]>();
  for (const [name, type, unit, help] of rows) {
    const list = byMetric.get(String(name)) ?? [];
    if (list.length === 0) {
      if (limit > 0 && byMetric.size >= limit) break;
      byMetric.set(String(name), list);
    }
    if (perMetric === 0 || list.length < perMetric) list.push({ type, help, unit });
  }
  for (const { name, help, unit } of FLOW_METRICS) {
    if (metric !== '' && metric !== name) continue;
    if (limit > 0 && byMetric.size >= limit) break;
    byMetric.set(name, [{ type: 'gauge', help, unit }]);
  }
  return sendData(reply, JSON.stringify(Object.fromEntries(byMetric)));
}

const EXEMPLARS_MAX = 10_000;
const SERIES_MAX = 10_000;

/** GET and POST query_exemplars: exemplars of the series that the query's selectors match. */
export async function answerExemplars(
  { parameters, signal }: PrometheusRequest,
  reply: FastifyReply,
  { store, metrics }: PrometheusContext,
): Promise<FastifyReply> {
  const startMs = readTime(parameters, 'start');
  const endMs = readTime(parameters, 'end');
  if (endMs < startMs)
    throw badParameter('end', 'end timestamp must not be before start timestamp');
  const parsed = parsePromql(parameters.get('query'));
  if (parsed.kind === 'invalid') throw badParameter('query', parsed.error.message);
  const { live } = metrics;
  const slots = new Set(
    selectorsOf(parsed.expression).flatMap((matchers) => live.select(matchers, startMs, endMs)),
  );
  const byId = new Map(
    [...slots].slice(0, SERIES_MAX).map((slot) => [String(live.idOf(slot)), slot]),
  );
  const { rows } = await store.query(
    `SELECT id, toUnixTimestamp64Milli(ts), toString(value), label_names, label_values
     FROM prometheus.exemplars
     WHERE id IN {ids:Array(UInt64)}
       AND ts >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
       AND ts <= fromUnixTimestamp64Milli({end:Int64}, 'UTC')
     ORDER BY id, ts LIMIT 1 BY id, ts, label_values LIMIT ${EXEMPLARS_MAX}`,
    { params: { ids: [...byId.keys()], start: startMs, end: endMs }, signal },
  );
  const bySeries = new Map<number, string[]>();
  for (const [id, timeMs, value, names, values] of rows) {
    const slot = byId.get(String(id));
    if (slot === undefined) continue;
    const list = bySeries.get(slot) ?? [];
    if (list.length === 0) bySeries.set(slot, list);
    // Both are Array(String).
    const labels = (names as string[]).map((name, at): [string, string] => [
      name,
      (values as string[])[at] ?? '',
    ]);
    const number = formatValue(Number(String(value).replace('inf', 'Infinity')));
    list.push(
      `{"labels":${labelsJson(labels)},"value":"${number}","timestamp":${formatTime(Number(timeMs))}}`,
    );
  }
  const found = [...bySeries].map(
    ([slot, list]) =>
      `{"seriesLabels":${labelsJson(live.labelsOf(slot))},"exemplars":[${list.join(',')}]}`,
  );
  return sendData(reply, `[${found.join(',')}]`);
}
