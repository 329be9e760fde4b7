import type { OutgoingHttpHeaders } from 'node:http2';
import type { Node } from './balance/balancer.ts';
import { WRITTEN_ANEW } from './http/field-name.ts';
import type { Framing } from './http/head.ts';
import { fieldLines } from './http/message.ts';
import { outgoing } from './http2/fields.ts';
import type { RequestContext } from './request-context.ts';
import { hostName } from './target.ts';
import type { Upstream } from './upstream.ts';

const NONE: readonly string[] = [];

/** The head sent to `node`, as text of octets, with its empty line. */
export function requestHead(
  context: RequestContext,
  upstream: Upstream,
  node: Node,
  upgrade: string | undefined,
): string {
  const { headers, head } = context;
  const host = hostFor(context, upstream, node);
  const forwarded = headers.joined('x-forwarded-for');
  const chain = forwarded === undefined ? context.clientIp : `${forwarded}, ${context.clientIp}`;
  const isUpgrade = upgrade !== undefined;
  return (
    `${context.method} ${targetFor(context)} HTTP/1.1\r\nHost: ${host}\r\n` +
    `X-Real-IP: ${context.clientIp}\r\nX-Forwarded-For: ${chain}\r\n` +
    framingLine(context) +
    fieldLines(headers, WRITTEN_ANEW, NONE) +
    (isUpgrade
      ? `Connection: upgrade\r\nUpgrade: ${head.fields.get('upgrade') ?? ''}\r\n\r\n`
      : '\r\n')
  );
}

/** The same head for a node that is spoken to with HTTP/2. */
export function requestHeaders(
  context: RequestContext,
  upstream: Upstream,
  node: Node,
): OutgoingHttpHeaders {
  const { headers } = context;
  const scheme = context.upstreamScheme ?? upstream.object.scheme;
  const framing = requestFraming(context);
  return {
    ':method': context.method,
    ':scheme': scheme === 'grpcs' ? 'https' : 'http',
    ':authority': hostFor(context, upstream, node),
    ':path': targetFor(context),
    'x-real-ip': context.clientIp,
    'x-forwarded-for': [...headers.all('x-forwarded-for'), context.clientIp].join(', '),
    ...(framing.kind === 'length' ? { 'content-length': String(framing.bytes) } : {}),
    ...outgoing(headers, WRITTEN_ANEW),
    // gRPC asks for it: servers take it for a sign that nobody on the way drops trailers.
    te: 'trailers',
  };
}

/** How the body is sent: as it came, or by the length of what stands for it. */
export function requestFraming({ body }: RequestContext): Framing {
  const replaced = body.replacement();
  return replaced === undefined ? body.framing : { kind: 'length', bytes: replaced.length };
}

function framingLine(context: RequestContext): string {
  const framing = requestFraming(context);
  if (framing.kind === 'length') return `Content-Length: ${framing.bytes}\r\n`;
  if (framing.kind === 'chunked') return 'Transfer-Encoding: chunked\r\n';
  // An empty body that was announced as one stays announced: POST without length puzzles servers.
  return context.headers.get('content-length') === '0' ? 'Content-Length: 0\r\n' : '';
}

/** What was rewritten, or the client's own spelling with the query as it now is. */
function targetFor(context: RequestContext): string {
  if (context.upstreamUri !== undefined) return context.upstreamUri;
  return context.query === '' ? context.rawPath : `${context.rawPath}?${context.query}`;
}

/** Source: the upstream's `pass_host`. */
export function hostFor(context: RequestContext, { object }: Upstream, node: Node): string {
  if (context.upstreamHost !== undefined) return context.upstreamHost;
  if (object.pass_host === 'rewrite') return object.upstream_host ?? node.host;
  if (object.pass_host !== 'node') return context.headers.get('host') ?? context.host;
  const scheme = context.upstreamScheme ?? object.scheme ?? 'http';
  const defaultPort = scheme === 'https' || scheme === 'grpcs' ? 443 : 80;
  return node.port === defaultPort ? node.host : `${node.host}:${node.port}`;
}

/** The name for the TLS handshake: what the Host field says, without port. */
export function serverNameFor(context: RequestContext, upstream: Upstream, node: Node): string {
  return hostName(hostFor(context, upstream, node));
}
