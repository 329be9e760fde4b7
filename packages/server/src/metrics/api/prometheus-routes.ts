import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerExemplars, answerMetadata } from './description-routes.ts';
import { PrometheusError, sendError, toPrometheusError } from './envelope.ts';
import { parametersOf } from './parameters.ts';
import { answerQuery, answerQueryRange } from './query-routes.ts';
import { answerRemoteRead } from './remote-read-route.ts';
import type { PrometheusContext, PrometheusRequest } from './route.ts';
import { answerLabels, answerLabelValues, answerSeries } from './series-routes.ts';
import {
  answerAlerts,
  answerBuildInfo,
  answerFormatQuery,
  answerParseQuery,
  answerRules,
  answerTsdb,
} from './status-routes.ts';

type Handle = (
  request: PrometheusRequest,
  reply: FastifyReply,
  context: PrometheusContext,
) => FastifyReply | Promise<FastifyReply>;

interface PrometheusRoute {
  readonly path: string;
  readonly methods: readonly ('GET' | 'POST')[];
  readonly handle: Handle;
}

const GET_ONLY = ['GET'] as const;
const BOTH = ['GET', 'POST'] as const;

const ROUTES: readonly PrometheusRoute[] = [
  { path: '/query', methods: BOTH, handle: answerQuery },
  { path: '/query_range', methods: BOTH, handle: answerQueryRange },
  { path: '/query_exemplars', methods: BOTH, handle: answerExemplars },
  { path: '/format_query', methods: BOTH, handle: answerFormatQuery },
  { path: '/parse_query', methods: BOTH, handle: answerParseQuery },
  { path: '/series', methods: BOTH, handle: answerSeries },
  { path: '/labels', methods: BOTH, handle: answerLabels },
  { path: '/label/:name/values', methods: GET_ONLY, handle: answerLabelValues },
  { path: '/metadata', methods: GET_ONLY, handle: answerMetadata },
  { path: '/rules', methods: GET_ONLY, handle: answerRules },
  { path: '/alerts', methods: GET_ONLY, handle: answerAlerts },
  { path: '/status/buildinfo', methods: GET_ONLY, handle: answerBuildInfo },
  { path: '/status/tsdb', methods: GET_ONLY, handle: answerTsdb },
];

const PREFIX = '/prom/api/v1';
const READ_PATHS = ['/api/v1/read', '/api/v1/prom/read', `${PREFIX}/read`];

/**
 * Prometheus's HTTP API under /prom/api/v1, and remote read where clients post it. In a scope of its
 * own: errors have Prometheus's envelope, forms keep repeated names.
 */
export async function addPrometheusRoutes(
  app: FastifyInstance,
  context: PrometheusContext,
): Promise<void> {
  await app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) =>
      parsed(null, body),
    );
    scope.setErrorHandler((thrown, request, reply) => {
      const error = errorOf(thrown);
      if (error.type === 'internal') request.log.error({ err: thrown }, 'request failed');
      return sendError(reply, error);
    });
    for (const { path, methods, handle } of ROUTES) {
      scope.route({
        method: [...methods],
        url: `${PREFIX}${path}`,
        handler: (request, reply) => handle(read(request, reply), reply, context),
      });
    }
    for (const path of READ_PATHS) {
      scope.post(path, (request, reply) =>
        answerRemoteRead(bodyOf(request), reply, {
          metrics: context.metrics,
          signal: signalOf(reply),
        }),
      );
    }
    done();
  });
}

function errorOf(thrown: unknown): PrometheusError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  // Fastify's own, such as a body that is too large.
  if (code.startsWith('FST_ERR_CTP') && thrown instanceof Error) {
    return new PrometheusError('bad_data', thrown.message, { cause: thrown });
  }
  return toPrometheusError(thrown);
}

function read(request: FastifyRequest, reply: FastifyReply): PrometheusRequest {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(
    request.headers['content-type'] ?? '',
  );
  const form = isForm ? Buffer.from(bodyOf(request)).toString() : undefined;
  // A path parameter of the one route that has it.
  const { name = '' } = request.params as { name?: string };
  return { parameters: parametersOf(request.url, form), name, signal: signalOf(reply) };
}

function bodyOf({ body }: FastifyRequest): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array(0);
}

/** Aborted when the connection ends before the answer does. */
function signalOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
