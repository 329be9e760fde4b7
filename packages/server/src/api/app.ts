import { existsSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import fastifyStatic from '@fastify/static';
import { badRequestHandler, createHttpServer, type Door } from '@thalweg/integration';
import { ApiErrorBody } from '@thalweg/model';
import fastify, { type FastifyInstance } from 'fastify';
import { apiError } from '../errors.ts';
import { createAllCatalogue, createAllSeries } from '../metrics/all-series.ts';
import { addPrometheusRoutes } from '../metrics/api/prometheus-routes.ts';
import { createRenamedCatalogue, createRenamedSeries } from '../metrics/deepflow-names.ts';
import { createFlowSource } from '../metrics/flow-source.ts';
import { createStoredCatalogue } from '../metrics/metric-catalogue.ts';
import { addDeepflowRoutes } from './deepflow-routes.ts';
import { addHealthRoutes } from './health-routes.ts';
import { addIngestRoutes } from './ingest-routes.ts';
import { addJaegerRoutes } from './jaeger-routes.ts';
import { LOG_ROUTES } from './log-routes.ts';
import { addProfileRoutes } from './profile-routes.ts';
import { addQueryRoutes } from './query-routes.ts';
import { answerUnknownPaths, handleErrors, requestId, requireToken } from './respond.ts';
import { RETENTION_ROUTES } from './retention-routes.ts';
import { addRoutes, openApi } from './route.ts';
import type { Services } from './services.ts';
import { addTempoRoutes } from './tempo-routes.ts';
import { TRACE_ROUTES } from './trace-routes.ts';

const URL_BYTES_MAX = 16_384;
/** Of a question; agents' rows have the limit of the settings. A value of JSON takes fifty times its bytes. */
const ASKED_BYTES_MAX = 2 ** 20;
/** What OpenAPI describes. */
const OWN_ROUTES = [...TRACE_ROUTES, ...LOG_ROUTES, ...RETENTION_ROUTES];

/** The server's HTTP surface. Nothing listens yet. */
export async function buildApp(
  services: Services,
  options: {
    readonly bodyBytesMax: number;
    readonly token: string | undefined;
    /** Built files of the UI; without them `/` says how to build it. */
    readonly webDir: string | undefined;
    readonly logLevel: 'info' | 'warn' | 'silent';
  },
): Promise<FastifyInstance> {
  const { bodyBytesMax, token, webDir, logLevel } = options;
  const app = fastify({
    logger: { level: logLevel, stream: process.stderr },
    bodyLimit: ASKED_BYTES_MAX,
    routerOptions: { maxParamLength: 128 },
    genReqId: requestId,
    forceCloseConnections: true,
    clientErrorHandler: badRequestHandler(services.receivers.door.accounts),
    serverFactory: (handle) => serverWithDoor(services.receivers.door, handle),
  });
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer', bodyLimit: bodyBytesMax },
    (_request, body, done) => done(null, body),
  );
  if (token !== undefined) requireToken(app, token);
  app.addHook('onRequest', async (request) => {
    if (request.url.length > URL_BYTES_MAX) {
      throw apiError('bad_request', { reason: `the URL is longer than ${URL_BYTES_MAX} bytes` });
    }
  });
  // Before any scope is waited for: routes keep the handler that there is at that time.
  handleErrors(app, { askedBytesMax: ASKED_BYTES_MAX, rowsBytesMax: bodyBytesMax });
  addRoutes(app, OWN_ROUTES, services);
  addQueryRoutes(app, services);
  addTempoRoutes(app, services);
  addJaegerRoutes(app, services);
  addDeepflowRoutes(app, services);
  addProfileRoutes(app, services);
  addIngestRoutes(app, services);
  addHealthRoutes(app, services);
  const { metrics, store, version, now } = services;
  const flows = createFlowSource(store, now);
  const stored = createRenamedCatalogue(createStoredCatalogue(metrics.live));
  const catalogue = createAllCatalogue(stored, flows, now);
  const source = createAllSeries(createRenamedSeries(metrics.source), flows);
  await addPrometheusRoutes(app, { source, catalogue, metrics, store, version, now });
  const specification = openApi(OWN_ROUTES, services.version, ApiErrorBody);
  app.get('/api/openapi.json', () => specification);
  const pages = webDir !== undefined && existsSync(webDir) ? webDir : undefined;
  if (pages !== undefined) await servePages(app, pages);
  answerUnknownPaths(app, pages !== undefined);
  return app;
}

/** Paths of receivers go past the framework: their bodies are read once, and within their limits. */
function serverWithDoor(door: Door, handle: RequestListener): Server {
  return createHttpServer((request, response) => {
    if (door.knows(request.url ?? '', request.method ?? '')) void door.handle(request, response);
    else handle(request, response);
  });
}

/** Paths of pages, which the browser's router knows, all get the one document. */
async function servePages(app: FastifyInstance, webDir: string): Promise<void> {
  await app.register(fastifyStatic, { root: webDir, wildcard: false });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header(
      'content-security-policy',
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    );
  });
  for (const path of ['/traces', '/traces/*']) {
    app.get(path, (_request, reply) => reply.sendFile('index.html'));
  }
}
