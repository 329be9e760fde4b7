import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AdminKey } from '../config/config.ts';
import { parseIpRanges, plainAddress } from '../core/match/ip-range.ts';
import { OWN_SERVER } from '../core/own-server.ts';
import type { AdminAnswer, AdminRequest } from './admin-api.ts';
import { type AdminVersion, inVersion2 } from './envelope.ts';

export interface AdminServerParts {
  readonly keys: readonly AdminKey[];
  readonly isKeyRequired: boolean;
  readonly allowed: readonly string[];
  readonly hasCors: boolean;
  readonly serverToken: string;
  /** What the store's keys begin with. */
  readonly prefix: string;
  readonly version: AdminVersion;
  answer(request: AdminRequest): Promise<AdminAnswer>;
}

const BODY_BYTES_MAX = 1_572_864;
const LIMITS = { ...OWN_SERVER, maxHeaderSize: 32_768, requestTimeout: 30_000 } as const;
const ROOT = '/apisix/admin';

/** The Admin API over HTTP. Keys, CORS and bounds; what is asked for is `answer`'s. */
export function createAdminServer(parts: AdminServerParts): Server {
  const allowed = parseIpRanges(parts.allowed);
  return createServer(LIMITS, (request, response) => {
    response.setHeader('Server', parts.serverToken);
    const address = plainAddress(request.socket.remoteAddress ?? '');
    if (parts.allowed.length > 0 && allowed?.has(address) !== true) {
      response.writeHead(403, { 'Content-Type': 'text/html' }).end('<h1>403 Forbidden</h1>\n');
      return;
    }
    serve(parts, request, response).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      reply(response, { status: 503, body: { error_msg: why } });
    });
  });
}

async function serve(
  parts: AdminServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://admin');
  const method = request.method ?? 'GET';
  if (parts.hasCors) {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Credentials', 'true');
    response.setHeader('Access-Control-Expose-Headers', '*');
    response.setHeader('Access-Control-Max-Age', '3600');
  }
  if (method === 'OPTIONS' && url.pathname.startsWith(ROOT)) {
    response.setHeader('Access-Control-Allow-Headers', '*');
    response.setHeader('Access-Control-Allow-Methods', 'POST, GET, PUT, OPTIONS, DELETE, PATCH');
    response.writeHead(200).end();
    return;
  }
  if (method === 'HEAD' && url.pathname === ROOT) {
    response.writeHead(200).end();
    return;
  }
  if (!url.pathname.startsWith(`${ROOT}/`) || method === 'HEAD') {
    response.writeHead(404, { 'Content-Type': 'text/html' }).end('<h1>404 Not Found</h1>\n');
    return;
  }
  const refused = keyFault(parts, request, url.searchParams, method);
  const body = await bodyOf(request);
  if (refused !== undefined) {
    reply(response, refusedToken(refused));
    return;
  }
  response.setHeader('X-API-VERSION', parts.version);
  if (typeof body === 'number') {
    const why = `request size ${body} is greater than the maximum size ${BODY_BYTES_MAX} allowed`;
    reply(response, { status: 400, body: { error_msg: `invalid request body: ${why}` } });
    return;
  }
  const path = url.pathname.slice(ROOT.length + 1);
  const answer = await parts.answer({ method, path, query: url.searchParams, body });
  reply(
    response,
    parts.version === 'v2' ? inVersion2(method, `${parts.prefix}/${path}`, answer) : answer,
  );
}

function refusedToken(description: string): AdminAnswer {
  return { status: 401, body: { error_msg: 'failed to check token', description } };
}

/** Undefined when the request may go on. Order of places: query, header, cookie. */
function keyFault(
  { keys, isKeyRequired }: AdminServerParts,
  request: IncomingMessage,
  query: URLSearchParams,
  method: string,
): string | undefined {
  if (!isKeyRequired) return undefined;
  const header = request.headers['x-api-key'];
  const cookie = /(?:^|;\s*)x_api_key=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
  const given = query.get('api_key') ?? (Array.isArray(header) ? header[0] : header) ?? cookie;
  if (given === undefined) return 'missing apikey';
  const found = keys.find(({ key }) => isSame(key, given));
  if (found === undefined) return 'wrong apikey';
  return found.role === 'viewer' && method !== 'GET' ? 'invalid method for role viewer' : undefined;
}

/** In the same time however much of it is right. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** The text, or the size of one that is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | number> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    // Checked edge: no encoding is set, so pieces are buffers.
    bytes += (piece as Buffer).length;
    if (bytes <= BODY_BYTES_MAX) pieces.push(piece as Buffer);
  }
  return bytes > BODY_BYTES_MAX ? bytes : Buffer.concat(pieces).toString('utf8');
}

function reply(response: ServerResponse, { status, body }: AdminAnswer): void {
  response.setHeader('Content-Type', 'application/json');
  if (body === undefined) response.writeHead(status).end();
  else
    response.writeHead(status).end(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
}
