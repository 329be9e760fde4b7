import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError, apiError } from '../errors.ts';
import { otlpBytes, otlpJson, otlpResources, traceByIdBytes } from '../tempo/otlp-trace.ts';
import { searchAnswer } from '../tempo/search-answer.ts';
import { tagQuery } from '../tempo/tag-query.ts';
import {
  NAMES_MAX,
  readTags,
  readTagValues,
  type TagScope,
  type TagValue,
  type TimeRange,
} from '../tempo/tags.ts';
import { parseTraceql } from '../traceql/parse.ts';
import { searchTraceql } from '../traceql/search.ts';
import { DURATION, TraceqlError } from '../traceql/tokens.ts';
import { readTrace } from '../traces/trace.ts';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { addTempoMetricsRoutes } from './tempo-metrics-routes.ts';
import { untilGone } from './until-gone.ts';

// Tempo's query API under /tempo: what Grafana's Tempo data source asks for.
// Source: Tempo's documentation, "Tempo HTTP API". Errors are plain text there.

const HOUR_US = 3_600e6;
const TRACES_INSPECTED_MAX = 5_000;

const Seconds = z.coerce.number().nonnegative().optional();
const Duration = z.string().max(32).regex(DURATION, 'a duration such as 1.5s');
const Range = z.object({ start: Seconds, end: Seconds });
const Search = Range.extend({
  q: z.string().optional(),
  tags: z.string().default(''),
  minDuration: Duration.optional(),
  maxDuration: Duration.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(20),
  spss: z.coerce.number().int().min(0).max(10_000).default(3),
});
const TagSearch = Range.extend({
  scope: z.string().optional(),
  q: z.string().optional(),
  // Grafana asks for 5,000; 0 is no limit.
  limit: z.coerce.number().int().nonnegative().default(0),
});
const Id = z.object({ id: z.string().max(64) });
const Tag = z.object({ tag: z.string().min(1).max(256) });

export function addTempoRoutes(
  app: FastifyInstance,
  { store, now, version }: Pick<Services, 'store' | 'now' | 'version'>,
): void {
  const rangeOf = ({ start, end }: z.infer<typeof Range>): TimeRange => {
    const endUs = end === undefined ? now() * 1e3 : end * 1e6;
    return { startUs: Math.floor(start === undefined ? endUs - HOUR_US : start * 1e6), endUs };
  };

  async function tagScopes(
    { scope, q, limit, ...range }: z.infer<typeof TagSearch>,
    reply: FastifyReply,
  ): Promise<readonly TagScope[]> {
    const options = { ...rangeOf(range), query: q, limit: limit || NAMES_MAX };
    const scopes = await readTags(untilGone(store, reply), options);
    const isAny = scope === undefined || scope === '' || scope === 'none';
    return scopes.filter(({ name }) => isAny || name === scope);
  }

  function tagValues(request: FastifyRequest, reply: FastifyReply): Promise<readonly TagValue[]> {
    const asked = parseInput(TagSearch, request.query);
    const { tag } = parseInput(Tag, request.params);
    const options = { ...rangeOf(asked), query: asked.q, limit: asked.limit || NAMES_MAX };
    return readTagValues(untilGone(store, reply), tag, options);
  }

  app.register(async (tempo) => {
    tempo.setErrorHandler((error, _request, reply) => plainError(error, reply));

    tempo.get('/tempo/api/echo', (_request, reply) => reply.type('text/plain').send('echo'));
    tempo.get('/tempo/ready', (_request, reply) => reply.type('text/plain').send('ready'));
    tempo.get('/tempo/api/status/buildinfo', () => ({ version, revision: '', branch: '' }));

    tempo.get('/tempo/api/traces/:id', async (request, reply) => {
      const trace = otlpResources(
        await readTrace(untilGone(store, reply), parseInput(Id, request.params).id),
      );
      if (!wantsProtobuf(request.headers.accept)) return { batches: otlpJson(trace) };
      return reply.type('application/protobuf').send(Buffer.from(otlpBytes(trace)));
    });
    tempo.get('/tempo/api/v2/traces/:id', async (request, reply) => {
      const trace = otlpResources(
        await readTrace(untilGone(store, reply), parseInput(Id, request.params).id),
      );
      if (!wantsProtobuf(request.headers.accept)) {
        return { trace: { resourceSpans: otlpJson(trace) }, metrics: {} };
      }
      return reply.type('application/protobuf').send(Buffer.from(traceByIdBytes(trace)));
    });

    tempo.get('/tempo/api/search', async (request, reply) => {
      const asked = parseInput(Search, request.query);
      const query = parseTraceql(asked.q ?? tagQuery(asked));
      if (query.metrics !== undefined) {
        const reason =
          'q: a metrics query; /api/metrics/query_range and /api/metrics/query take it';
        throw apiError('bad_request', { reason });
      }
      const answer = await searchTraceql(untilGone(store, reply), {
        query,
        ...rangeOf(asked),
        limit: asked.limit,
        tracesMax: TRACES_INSPECTED_MAX,
        now,
      });
      return searchAnswer(answer, asked.spss);
    });

    addTempoMetricsRoutes(tempo, { store, now });

    tempo.get('/tempo/api/search/tags', async (request, reply) => {
      const scopes = await tagScopes(parseInput(TagSearch, request.query), reply);
      return { tagNames: [...new Set(scopes.flatMap(({ tags }) => tags))].sort() };
    });
    tempo.get('/tempo/api/v2/search/tags', async (request, reply) => {
      return { scopes: await tagScopes(parseInput(TagSearch, request.query), reply) };
    });
    tempo.get('/tempo/api/search/tag/:tag/values', async (request, reply) => ({
      tagValues: (await tagValues(request, reply)).map(({ value }) => value),
    }));
    tempo.get('/tempo/api/v2/search/tag/:tag/values', async (request, reply) => ({
      tagValues: await tagValues(request, reply),
    }));
  });
}

function wantsProtobuf(accept: string | undefined): boolean {
  return accept?.includes('application/protobuf') ?? false;
}

function plainError(error: unknown, reply: FastifyReply): FastifyReply | never {
  if (error instanceof TraceqlError) {
    return reply.status(400).type('text/plain').send(`invalid TraceQL query: ${error.message}`);
  }
  if (error instanceof ApiError && error.status < 500) {
    return reply
      .status(error.status)
      .type('text/plain')
      .send(`${error.message}\nfix: ${error.fix}`);
  }
  throw error;
}
