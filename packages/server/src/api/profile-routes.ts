import { createProtoWriter } from '@thalweg/wire';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { ApiError, apiError } from '../errors.ts';
import {
  decodeRequest,
  encodeMessage,
  type MessageValue,
  toJsonMessage,
} from '../profiles/connect-codec.ts';
import { buildTree } from '../profiles/flame-graph.ts';
import { readLabelNames, readLabelValues } from '../profiles/labels.ts';
import { type ProfileFilter, profileFilter } from '../profiles/profile-filter.ts';
import { profileTracing } from '../profiles/profile-tracing.ts';
import { answerQuerier, QuerierRequest, readFlameGraph } from '../profiles/querier.ts';
import { QUERIER_METHODS, type QuerierMethod } from '../profiles/querier-messages.ts';
import { readTimeMs, renderAnswer, splitQuery } from '../profiles/render.ts';
import { parseProfileType } from '../profiles/selector.ts';
import { readProfileSeries } from '../profiles/series.ts';
import { readStacks } from '../profiles/stacks.ts';
import { tagCondition } from '../profiles/tag-filter.ts';
import { SqlError } from '../query/tokens.ts';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { untilGone } from './until-gone.ts';

const POINTS_WANTED = 500;
const MIN_STEP_S = 10;
const REQUEST_BYTES_MAX = 1_048_576;

const Text = z.string().max(16_384).default('');
const Render = z.object({
  query: Text,
  from: z.string().max(32).default('now-1h'),
  until: z.string().max(32).default('now'),
  maxNodes: z.coerce.number().int().nonnegative().default(0),
  'max-nodes': z.coerce.number().int().nonnegative().default(0),
  format: z.enum(['json']).default('json'),
});
const Labels = z.object({
  query: Text,
  label: z.string().max(256).default(''),
  from: z.string().max(32).default('now-1h'),
  until: z.string().max(32).default('now'),
});

/**
 * What Grafana's Pyroscope data source asks for, at the address `/pyroscope`: the querier's methods
 * by Connect (protobuf and JSON), and the older `render`.
 */
export function addProfileRoutes(app: FastifyInstance, services: Services): void {
  const { store, now } = services;
  app.register(async (querier) => {
    const types = ['application/proto', 'application/json'];
    querier.removeContentTypeParser(types);
    const options = { parseAs: 'buffer', bodyLimit: REQUEST_BYTES_MAX } as const;
    querier.addContentTypeParser(types, options, (_request, body, done) => done(null, body));
    querier.setErrorHandler((error, _request, reply) => connectError(error, reply));
    for (const method of Object.keys(QUERIER_METHODS) as QuerierMethod[]) {
      const handle = async (
        body: unknown,
        type: string,
        reply: FastifyReply,
      ): Promise<FastifyReply> => {
        const { request: shape, answer } = QUERIER_METHODS[method];
        const isProto = type.startsWith('application/proto');
        const bytes = body instanceof Uint8Array ? body : new Uint8Array();
        const given = isProto ? decodeRequest(bytes, shape) : jsonOf(bytes);
        if (typeof given === 'string') throw apiError('bad_request', { reason: given });
        const asked = parseInput(QuerierRequest, given);
        const value = await answerQuerier(untilGone(store, reply), method, asked, now());
        if (!isProto) return reply.send(toJsonMessage(answer, value));
        const writer = createProtoWriter();
        encodeMessage(writer, answer, value);
        return reply.type('application/proto').send(Buffer.from(writer.finish()));
      };
      for (const prefix of ['', '/pyroscope']) {
        querier.post(`${prefix}/querier.v1.QuerierService/${method}`, (request, reply) =>
          handle(request.body, request.headers['content-type'] ?? '', reply),
        );
      }
    }
  });

  app.get('/pyroscope/render', async (request, reply) => {
    const own = untilGone(store, reply);
    const asked = parseInput(Render, request.query);
    const { profileType, selector } = splitQuery(asked.query);
    const range = rangeOf(asked.from, asked.until, now());
    const filter = profileFilter({ ...range, profileType, selectors: [selector] });
    const spanS = (range.endMs - range.startMs) / 1e3;
    const stepS = Math.max(MIN_STEP_S, Math.ceil(spanS / POINTS_WANTED));
    const graph = await readFlameGraph(own, filter, asked['max-nodes'] || asked.maxNodes);
    const series = await readProfileSeries(own, filter, { stepS, groupBy: [], isAverage: false });
    const type = parseProfileType(profileType);
    const unit = type?.unit ?? '';
    return renderAnswer(graph, series, { unit, name: asked.query, startMs: range.startMs, stepS });
  });
  app.get('/pyroscope/labels', (request, reply) => {
    return readLabelNames(
      untilGone(store, reply),
      labelsFilter(parseInput(Labels, request.query), now()),
    );
  });
  app.get('/pyroscope/label-values', (request, reply) => {
    const asked = parseInput(Labels, request.query);
    if (asked.label === '') throw apiError('bad_request', { reason: 'label: name one' });
    return readLabelValues(untilGone(store, reply), asked.label, labelsFilter(asked, now()));
  });
  addProfileTracing(app, services);
}

function labelsFilter(asked: z.infer<typeof Labels>, nowMs: number): ProfileFilter {
  const { profileType, selector } = splitQuery(asked.query);
  const range = rangeOf(asked.from, asked.until, nowMs);
  return profileFilter({ ...range, profileType, selectors: [selector] });
}

function rangeOf(from: string, until: string, nowMs: number): { startMs: number; endMs: number } {
  const startMs = readTimeMs(from, nowMs);
  const endMs = readTimeMs(until, nowMs);
  if (startMs === undefined || endMs === undefined) {
    const reason = 'from and until: now, now-1h, or seconds or milliseconds since the epoch';
    throw apiError('bad_request', { reason });
  }
  if (endMs < startMs) throw apiError('bad_time_range', { start: startMs * 1e3, end: endMs * 1e3 });
  return { startMs, endMs };
}

function jsonOf(bytes: Uint8Array): MessageValue | string {
  try {
    const value: unknown = bytes.length === 0 ? {} : JSON.parse(Buffer.from(bytes).toString());
    return typeof value === 'object' && value !== null ? { ...value } : 'the body is no object';
  } catch {
    return 'the body is not JSON';
  }
}

/** Connect's error in JSON, whatever the codec. Source: connectrpc.com, "Protocol". */
function connectError(error: unknown, reply: FastifyReply): FastifyReply | never {
  if (!(error instanceof ApiError) || error.status >= 500) throw error;
  const code = error.status === 401 ? 'unauthenticated' : 'invalid_argument';
  return reply.status(error.status).type('application/json').send({ code, message: error.message });
}

const Seconds = z.coerce.number().nonnegative();
const Tracing = z.object({
  app_service: z.string().max(256).default(''),
  profile_event_type: z.string().min(1).max(256),
  profile_language_type: z.string().max(64).default(''),
  tag_filter: z.string().max(16_384).default(''),
  group_by: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((value) => (typeof value === 'string' ? value.split(',') : value))
    .transform((names) => names.map((name) => name.trim().replace(/^tag\./, '')))
    .pipe(z.array(z.string().max(256)).max(5))
    .transform((names) => names.filter((name) => name !== '')),
  time_start: Seconds,
  time_end: Seconds,
  max_kernel_stack_depth: z.coerce.number().int().min(-1).default(-1),
  debug: z.unknown().optional(),
});

/** POST /v1/profile/ProfileTracing, DeepFlow's question for one flame graph. */
function addProfileTracing(app: FastifyInstance, { store }: Services): void {
  app.post('/v1/profile/ProfileTracing', async (request, reply) => {
    const asked = parseInput(Tracing, request.body);
    const result = await readStacks(untilGone(store, reply), tracingFilter(asked), asked.group_by);
    return {
      OPT_STATUS: 'SUCCESS',
      DESCRIPTION: '',
      result: await profileTracing(await buildTree(result), asked.max_kernel_stack_depth),
    };
  });
}

function tracingFilter(asked: z.infer<typeof Tracing>): ProfileFilter {
  const { time_start, time_end, tag_filter } = asked;
  if (time_end < time_start) {
    throw apiError('bad_time_range', { start: time_start * 1e6, end: time_end * 1e6 });
  }
  const named = [
    ['service_name', asked.app_service],
    ['language', asked.profile_language_type],
  ].flatMap(([name, value]) => (value === '' ? [] : [`${name}=${JSON.stringify(value)}`]));
  const filter = profileFilter({
    startMs: time_start * 1e3,
    endMs: time_end * 1e3,
    selectors: [`{${named.join()}}`],
  });
  const params = { ...filter.params, event: asked.profile_event_type };
  const conditions = [filter.where, 'profile_event_type = {event:String}'];
  if (tag_filter.trim() !== '') conditions.push(conditionOf(tag_filter, params));
  return { where: conditions.join(' AND '), params };
}

function conditionOf(text: string, params: Parameters<typeof tagCondition>[1]): string {
  try {
    return tagCondition(text, params);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const reason = `tag_filter: ${error.message}, at ${error.position}: ${error.fix}`;
    throw apiError('bad_request', { reason }, { cause: error });
  }
}
