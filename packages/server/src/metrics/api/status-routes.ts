import { formatPromql, parsePromql, toAstJson } from '@thalweg/promql';
import type { FastifyReply } from 'fastify';
import type { Store } from '../../storage/store.ts';
import { badParameter, sendData } from './envelope.ts';
import { readLimit } from './parameters.ts';
import type { PrometheusContext, PrometheusRequest } from './route.ts';

/** Clients such as Grafana switch features by it: whose API this is, not who answers. */
const API_VERSION = '3.5.0';

export function answerBuildInfo(
  _request: PrometheusRequest,
  reply: FastifyReply,
  { version }: PrometheusContext,
): FastifyReply {
  return sendData(
    reply,
    JSON.stringify({
      version: API_VERSION,
      revision: version,
      branch: 'thalweg',
      buildUser: '',
      buildDate: '',
      goVersion: '',
      application: 'Thalweg',
    }),
  );
}

/** GET rules and alerts: there are none here, and Grafana's alerting pages ask. */
export function answerRules(_request: PrometheusRequest, reply: FastifyReply): FastifyReply {
  return sendData(reply, '{"groups":[]}');
}

export function answerAlerts(_request: PrometheusRequest, reply: FastifyReply): FastifyReply {
  return sendData(reply, '{"alerts":[]}');
}

const TSDB_ENTRIES = 10;

/** GET status/tsdb: the largest of each, to find what makes the series many. */
export async function answerTsdb(
  { parameters }: PrometheusRequest,
  reply: FastifyReply,
  { metrics, store }: PrometheusContext,
): Promise<FastifyReply> {
  const most = readLimit(parameters) || TSDB_ENTRIES;
  const { index, head } = metrics.live;
  const names = index.names();
  const byName = names.map((name) => ({ name, values: index.values(name) }));
  const largest = (entries: { name: string; value: number }[]): object[] =>
    entries.sort((one, other) => other.value - one.value).slice(0, most);
  const pairs = byName.flatMap(({ name, values }) =>
    values.map(({ value, series }) => ({ name: `${name}=${value}`, value: series })),
  );
  const metricValues = byName.find(({ name }) => name === '__name__')?.values ?? [];
  return sendData(
    reply,
    JSON.stringify({
      headStats: {
        numSeries: index.count,
        numLabelPairs: pairs.length,
        chunkCount: head?.samples() ?? 0,
        minTime: finite(head?.completeFromMs() ?? 0),
        maxTime: 0,
      },
      seriesCountByMetricName: largest(
        metricValues.map(({ value, series }) => ({ name: value, value: series })),
      ),
      labelValueCountByLabelName: largest(
        byName.map(({ name, values }) => ({ name, value: values.length })),
      ),
      memoryInBytesByLabelName: largest(
        byName.map(({ name, values }) => ({
          name,
          value: values.reduce((sum, { value }) => sum + value.length, 0),
        })),
      ),
      seriesCountByLabelValuePair: largest(pairs),
      // Ours: what the tables take on disk now.
      storage: await tablesOnDisk(store),
    }),
  );
}

async function tablesOnDisk(store: Store): Promise<object[]> {
  const { rows } = await store.query(
    `SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts
     WHERE active AND database = 'prometheus' GROUP BY table ORDER BY table`,
  );
  return rows.map(([table, count, bytes]) => ({
    table,
    rows: Number(count),
    bytes: Number(bytes),
  }));
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

export function answerFormatQuery(
  { parameters }: PrometheusRequest,
  reply: FastifyReply,
): FastifyReply {
  return sendData(reply, JSON.stringify(formatPromql(expressionOf(parameters.get('query')))));
}

export function answerParseQuery(
  { parameters }: PrometheusRequest,
  reply: FastifyReply,
): FastifyReply {
  return sendData(reply, JSON.stringify(toAstJson(expressionOf(parameters.get('query')))));
}

function expressionOf(text: string): Parameters<typeof formatPromql>[0] {
  const parsed = parsePromql(text);
  if (parsed.kind === 'invalid') throw badParameter('query', parsed.error.message);
  return parsed.expression;
}
