import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { jaegerQuery } from '../jaeger/jaeger-query.ts';
import { jaegerTrace } from '../jaeger/jaeger-trace.ts';
import type { Store } from '../storage/store.ts';
import { readTagValues } from '../tempo/tags.ts';
import { searchTraceql } from '../traceql/search.ts';
import { DURATION, TraceqlError } from '../traceql/tokens.ts';
import { readDependencies } from '../traces/dependencies.ts';
import { readTrace } from '../traces/trace.ts';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { untilGone } from './until-gone.ts';

// The JSON API of Jaeger's query service under /jaeger, for Grafana's Jaeger data source and others.
// Source: Jaeger's documentation, "APIs", HTTP JSON (internal). Times are microseconds there.

const HOUR_US = 3_600e6;
const DAY_US = 24 * HOUR_US;
const TRACES_INSPECTED_MAX = 5_000;
const VALUES_MAX = 1_000;

const Duration = z.string().max(32).regex(DURATION, 'a duration such as 1.5s');
const Micros = z.coerce.number().int().nonnegative().optional();
const Tags = z.string().transform((text, context) => {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch {
    context.addIssue('a JSON object of texts is expected, such as {"http.status_code":"500"}');
    return z.NEVER;
  }
});
const Search = z.object({
  service: z.string().min(1),
  operation: z.string().min(1).optional(),
  tags: Tags.default({}),
  start: Micros,
  end: Micros,
  minDuration: Duration.optional(),
  maxDuration: Duration.optional(),
  limit: z.coerce.number().int().min(1).max(1_500).default(20),
});
const Operations = z.object({ service: z.string().min(1), spanKind: z.string().optional() });
const Dependencies = z.object({
  endTs: z.coerce.number().int().nonnegative().optional(),
  lookback: z.coerce
    .number()
    .int()
    .positive()
    .default(DAY_US / 1e3),
});

export function addJaegerRoutes(app: FastifyInstance, { store, now }: Services): void {
  const recent = () => ({ startUs: now() * 1e3 - 2 * DAY_US, endUs: now() * 1e3 });
  const operationsOf = async (own: Store, service: string): Promise<readonly string[]> => {
    const query = `{ resource.service.name = ${JSON.stringify(service)} }`;
    const options = { ...recent(), query, limit: VALUES_MAX };
    return (await readTagValues(own, 'name', options)).map(({ value }) => value).sort();
  };

  app.register(async (jaeger) => {
    jaeger.setErrorHandler((error, _request, reply) => jaegerError(error, reply));

    jaeger.get('/jaeger/api/services', async (_request, reply) => {
      const options = { ...recent(), query: undefined, limit: VALUES_MAX };
      const values = await readTagValues(untilGone(store, reply), 'resource.service.name', options);
      return listed(values.map(({ value }) => value).sort());
    });
    jaeger.get('/jaeger/api/services/:service/operations', async (request, reply) =>
      listed(
        await operationsOf(untilGone(store, reply), parseInput(Operations, request.params).service),
      ),
    );
    jaeger.get('/jaeger/api/operations', async (request, reply) => {
      const names = await operationsOf(
        untilGone(store, reply),
        parseInput(Operations, request.query).service,
      );
      return listed(names.map((name) => ({ name, spanKind: '' })));
    });
    jaeger.get('/jaeger/api/traces/:id', async (request, reply) => {
      const { id } = parseInput(z.object({ id: z.string().max(64) }), request.params);
      return listed([jaegerTrace(await readTrace(untilGone(store, reply), id))]);
    });
    jaeger.get('/jaeger/api/traces', async (request, reply) => {
      const asked = parseInput(Search, request.query);
      const endUs = asked.end ?? now() * 1e3;
      const { matches } = await searchTraceql(untilGone(store, reply), {
        query: jaegerQuery({
          ...asked,
          operation: asked.operation,
          minDuration: asked.minDuration,
          maxDuration: asked.maxDuration,
        }),
        startUs: asked.start ?? endUs - HOUR_US,
        endUs,
        limit: asked.limit,
        tracesMax: TRACES_INSPECTED_MAX,
        now,
      });
      return listed(matches.map(({ view }) => jaegerTrace(view.trace)));
    });
    jaeger.get('/jaeger/api/dependencies', async (request, reply) => {
      const { endTs, lookback } = parseInput(Dependencies, request.query);
      const endUs = (endTs ?? now()) * 1e3;
      return listed(
        await readDependencies(untilGone(store, reply), { startUs: endUs - lookback * 1e3, endUs }),
      );
    });
  });
}

function listed(data: readonly unknown[]): object {
  return { data, total: data.length, limit: 0, offset: 0, errors: null };
}

function jaegerError(error: unknown, reply: FastifyReply): FastifyReply | never {
  const isOurs = error instanceof ApiError || error instanceof TraceqlError;
  const status = error instanceof ApiError ? error.status : 400;
  if (!isOurs || status >= 500) throw error;
  return reply.status(status).send({
    data: null,
    total: 0,
    limit: 0,
    offset: 0,
    errors: [{ code: status, msg: error.message }],
  });
}
