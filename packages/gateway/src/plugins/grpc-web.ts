import type { HeaderFields } from '../core/http/header-fields.ts';
import type { RequestContext } from '../core/request-context.ts';
import { definePlugin } from './plugin.ts';
import { REQUEST_BODY_BYTES } from './request-body-bytes.ts';

interface GrpcWeb {
  readonly cors_allow_headers: string;
  readonly max_req_body_size: number;
}

/** One call under way. */
interface Call {
  readonly type: string;
  readonly isText: boolean;
}

/** What a body may be, and whether it is in base64. Source: gRPC's PROTOCOL-WEB.md. */
const TYPES: ReadonlyMap<string, boolean> = new Map([
  ['application/grpc-web', false],
  ['application/grpc-web+proto', false],
  ['application/grpc-web-text', true],
  ['application/grpc-web-text+proto', true],
]);
/** Marks the frame that holds trailers. */
const TRAILERS_FLAG = 0x80;
const FRAME_HEAD_SIZE = 5;

/** Lets browsers call gRPC services, which cannot see trailers. */
export const grpcWeb = definePlugin<GrpcWeb>({
  name: 'grpc-web',
  priority: 505,
  summary: 'Lets browsers call gRPC services: gRPC-Web in, gRPC out.',
  example: { cors_allow_headers: 'content-type,x-grpc-web,x-user-agent' },
  notes: [
    "What stands where the `*` of the route's URI is becomes the path of the call; the upstream's `scheme` is `grpc`.",
    'A streamed answer is passed on message by message.',
  ],
  schema: {
    type: 'object',
    properties: {
      cors_allow_headers: {
        type: 'string',
        default: 'content-type,x-grpc-web,x-user-agent',
        description: 'request headers that other origins may send',
      },
      max_req_body_size: REQUEST_BODY_BYTES,
    },
  },
  create({ cors_allow_headers, max_req_body_size }) {
    const slot = Symbol('grpc-web');
    return {
      async access(context) {
        const type = context.headers.get('content-type') ?? '';
        const headers = type === '' ? undefined : { 'Content-Type': type };
        const refusal = (status: number) => ({ status, ...(headers && { headers }) });
        if (context.method === 'OPTIONS') return refusal(204);
        if (context.method !== 'POST') return refusal(405);
        const isText = TYPES.get(type.split(';')[0]?.trim().toLowerCase() ?? '');
        if (isText === undefined) return refusal(400);
        const bytes = await context.body.read(max_req_body_size);
        if (bytes === undefined) return refusal(413);
        const message = isText ? fromText(bytes) : bytes;
        if (message === undefined) return refusal(400);
        context.body.replace(message);
        context.headers.set('Content-Type', 'application/grpc');
        context.upstreamUri = callPath(context);
        context.setSlot(slot, { type, isText } satisfies Call);
        return undefined;
      },
      header_filter(context) {
        const fields = context.response?.fields;
        if (fields === undefined) return;
        allowOrigins(fields, context.method === 'OPTIONS' ? cors_allow_headers : undefined);
        const call = context.slot<Call>(slot);
        if (call === undefined || context.response?.source !== 'upstream') return;
        fields.set('Content-Type', call.type);
        fields.remove('Content-Length');
      },
      body_filter(context, bytes, isLast) {
        const call = context.slot<Call>(slot);
        const { response } = context;
        if (call === undefined || response?.source !== 'upstream') return bytes;
        const end = isLast ? trailersFrame(response.trailers) : Buffer.alloc(0);
        if (isLast) response.trailers = undefined;
        const sent = Buffer.concat([bytes, end]);
        return call.isText ? Buffer.from(sent.toString('base64')) : sent;
      },
    };
  },
});

/** Unless `cors` has said it: plugins of a higher priority go first. */
function allowOrigins(fields: HeaderFields, allowedHeaders: string | undefined): void {
  if (!fields.has('access-control-allow-origin')) fields.set('Access-Control-Allow-Origin', '*');
  if (!fields.has('access-control-expose-headers')) {
    fields.set('Access-Control-Expose-Headers', 'grpc-message,grpc-status');
  }
  if (allowedHeaders === undefined) return;
  fields.set('Access-Control-Allow-Methods', 'POST');
  fields.set('Access-Control-Allow-Headers', allowedHeaders);
}

/** Base64 in one piece or several, each with its padding; undefined when it is something else. */
function fromText(bytes: Buffer): Buffer | undefined {
  const text = bytes.toString('latin1').replace(/\s+/g, '');
  if (text.length % 4 !== 0 || !/^(?:[A-Za-z0-9+/]+={0,2})*$/.test(text)) return undefined;
  const pieces = text.match(/[^=]+={0,2}/g) ?? [];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
}

/** What the `*` of the route has matched, or the path as it is. */
function callPath({ route, rawPath, path }: RequestContext): string {
  const star = route?.uri.indexOf('*') ?? -1;
  const prefix = star < 0 ? undefined : route?.uri.slice(0, star);
  if (prefix === undefined) return rawPath;
  const rest = (rawPath.startsWith(prefix) ? rawPath : path).slice(prefix.length);
  return rest === '' ? rawPath : `/${rest.replace(/^\//, '')}`;
}

/** Trailers as the last frame of a body; none where the head of the answer has said it all. */
function trailersFrame(trailers: HeaderFields | undefined): Buffer {
  if (trailers === undefined) return Buffer.alloc(0);
  const lines = [...trailers.keys()].map((key) => `${key}:${trailers.joined(key) ?? ''}\r\n`);
  const text = Buffer.from(lines.join(''), 'latin1');
  const head = Buffer.alloc(FRAME_HEAD_SIZE);
  head[0] = TRAILERS_FLAG;
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, text]);
}
