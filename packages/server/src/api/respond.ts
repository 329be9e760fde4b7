import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiError, apiError, errorBody } from '../errors.ts';
import { StoreError } from '../storage/store.ts';

/** Reads a query string or body by its schema; every mistake is named at once. */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw apiError('bad_request', { reason: mistakes.join('; ') });
}

/** A browser gets the UI, whose router says that there is no such page; a program the envelope. */
export function answerUnknownPaths(app: FastifyInstance, hasPages: boolean): void {
  app.setNotFoundHandler((request, reply) => {
    const { method, url, headers } = request;
    const wantsPage = method === 'GET' && headers.accept?.includes('text/html') === true;
    if (hasPages && wantsPage) return reply.status(404).sendFile('index.html');
    throw apiError('route_not_found', { method, path: url.split('?')[0] ?? '' });
  });
}

/** The largest body of a question, and of an agent's rows. */
export interface BodyLimits {
  readonly askedBytesMax: number;
  readonly rowsBytesMax: number;
}

/** One envelope for everything that goes wrong, with a stable code. */
export function handleErrors(app: FastifyInstance, limits: BodyLimits): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toApiError(thrown, request, limits);
    if (error.status >= 500) request.log.error({ err: thrown, code: error.code }, 'request failed');
    if (error.status === 503) reply.header('retry-after', '1');
    return reply.status(error.status).send(errorBody(error));
  });
  // Fastify closes where a body is too large, and a client that is still sending gets a reset in
  // place of the answer. Without that word Node reads the rest and throws it away.
  app.addHook('onSend', async (request, reply) => {
    if (!request.raw.complete) reply.removeHeader('connection');
  });
}

function toApiError(thrown: unknown, request: FastifyRequest, limits: BodyLimits): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const cause = { cause: thrown };
  if (thrown instanceof StoreError) {
    const reason = thrown.message;
    switch (thrown.code) {
      case 'store_limit':
      case 'store_aborted':
        return apiError('query_limit', { reason }, cause);
      case 'store_unavailable':
      case 'store_locked':
        return apiError('store_unavailable', {}, cause);
      case 'store_query_failed':
        return apiError('query_failed', { reason }, cause);
    }
  }
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const hasRows =
      request.headers['content-type']?.startsWith('application/octet-stream') === true;
    const limit = hasRows ? limits.rowsBytesMax : limits.askedBytesMax;
    return apiError('body_too_large', { limit });
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const type = request.headers['content-type'] ?? 'none';
    return apiError('unsupported_media', {
      type,
      fix: 'send JSON, a form, or bytes to /api/ingest',
    });
  }
  if (code.startsWith('FST_ERR_CTP') || thrown instanceof SyntaxError) {
    return apiError('bad_request', { reason: thrown instanceof Error ? thrown.message : '' });
  }
  return apiError('internal', { request: request.id }, cause);
}

/** Asks for the token on everything but health. Compared in constant time. */
export function requireToken(app: FastifyInstance, token: string): void {
  const wanted = Buffer.from(`Bearer ${token}`);
  app.addHook('onRequest', async (request) => {
    if (request.url === '/healthz' || request.url === '/readyz') return;
    const given = Buffer.from(request.headers.authorization ?? '');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw apiError('unauthorized');
    }
  });
}

export const requestId = (): string => randomUUID();
