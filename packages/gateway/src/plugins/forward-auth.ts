import type { Answer } from '../core/answer.ts';
import { hasArguments } from '../core/post-arguments.ts';
import type { RequestContext } from '../core/request-context.ts';
import { resolveTemplate } from '../core/template.ts';
import type { OutboundAnswer } from './outbound.ts';
import { definePlugin } from './plugin.ts';
import { REQUEST_BODY_BYTES } from './request-body-bytes.ts';
import { openService, SERVICE_FIELDS, type ServiceFields } from './service-fields.ts';
import { urlFault } from './url-fault.ts';

interface ForwardAuth extends ServiceFields {
  readonly uri: string;
  readonly allow_degradation: boolean;
  readonly status_on_error: number;
  readonly request_method: 'GET' | 'POST';
  readonly request_headers: readonly string[];
  readonly extra_headers?: Readonly<Record<string, string | number>>;
  readonly upstream_headers: readonly string[];
  readonly client_headers: readonly string[];
  readonly max_req_body_size: number;
}

const NAMES = { type: 'array', items: { type: 'string' }, default: [] } as const;

/** Asks another service whether a request may pass. */
export const forwardAuth = definePlugin<ForwardAuth>({
  name: 'forward-auth',
  priority: 2002,
  summary: 'Asks another service over HTTP whether a request may pass.',
  example: {
    uri: 'http://127.0.0.1:9001/auth',
    request_headers: ['Authorization'],
    upstream_headers: ['X-User-ID'],
    client_headers: ['Location'],
  },
  notes: ['Redirects of the service are given to the client, not followed.'],
  schema: {
    type: 'object',
    properties: {
      uri: { type: 'string', pattern: '^https?://' },
      allow_degradation: { type: 'boolean', default: false },
      status_on_error: { type: 'integer', minimum: 200, maximum: 599, default: 403 },
      request_method: { type: 'string', enum: ['GET', 'POST'], default: 'GET' },
      request_headers: { ...NAMES, description: "the client's headers that the service gets" },
      extra_headers: {
        type: 'object',
        minProperties: 1,
        description: 'more headers for it, with $variables',
        additionalProperties: { oneOf: [{ type: 'string' }, { type: 'number' }] },
      },
      upstream_headers: { ...NAMES, description: "the service's headers that the upstream gets" },
      client_headers: { ...NAMES, description: 'its headers that a refused client gets' },
      ...SERVICE_FIELDS,
      max_req_body_size: REQUEST_BODY_BYTES,
    },
    required: ['uri'],
  },
  check: ({ uri }) => urlFault('uri', uri),
  create(conf, { warn }) {
    const service = openService(conf);
    const readsArguments = JSON.stringify(conf.extra_headers ?? {}).includes('post_arg');

    async function access(context: RequestContext): Promise<Answer | undefined> {
      const isPost = conf.request_method === 'POST';
      let body: Buffer | undefined;
      if (isPost || (readsArguments && hasArguments(context))) {
        body = await context.body.read(conf.max_req_body_size);
        if (body === undefined) return { status: 413 };
      }
      const answer = await service.ask({
        url: conf.uri,
        method: conf.request_method,
        headers: headersFor(context, conf, isPost),
        body: isPost ? body : undefined,
      });
      if (answer instanceof Error) {
        if (conf.allow_degradation) {
          // Nobody has said who this is: the client may not either.
          for (const name of conf.upstream_headers) context.headers.remove(name);
          return undefined;
        }
        warn(`the service does not answer: ${answer.message}`);
        return { status: conf.status_on_error };
      }
      if (answer.status >= 300) return refusal(conf, answer);
      for (const name of conf.upstream_headers) {
        // What the service does not say, the client may not say in its place.
        context.headers.remove(name);
        const value = answer.headers[name.toLowerCase()];
        if (value !== undefined) context.headers.set(name, [value].flat().join(', '));
      }
      return undefined;
    }

    return { access, close: () => service.close() };
  },
});

function headersFor(
  context: RequestContext,
  { request_headers, extra_headers }: ForwardAuth,
  isPost: boolean,
): Readonly<Record<string, string>> {
  const { headers, method, head, host, clientIp } = context;
  const sent: Record<string, string> = {
    'x-forwarded-proto': context.variable('scheme') ?? 'http',
    'x-forwarded-method': method,
    'x-forwarded-host': host,
    'x-forwarded-uri': head.target,
    'x-forwarded-for': clientIp,
  };
  const add = (name: string, value: string | undefined): void => {
    const key = name.toLowerCase();
    if (value !== undefined && sent[key] === undefined) sent[key] = value;
  };
  if (isPost) add('content-encoding', headers.get('content-encoding'));
  for (const [name, value] of Object.entries(extra_headers ?? {})) {
    add(name, resolveTemplate(context, String(value)).text);
  }
  for (const name of request_headers) {
    if (!FRAMING.has(name.toLowerCase())) add(name, headers.joined(name.toLowerCase()));
  }
  return sent;
}

/** What frames a message belongs to this connection alone. */
const FRAMING: ReadonlySet<string> = new Set([
  ...['content-length', 'transfer-encoding', 'connection', 'host', 'expect', 'upgrade', 'te'],
]);

function refusal(
  { client_headers }: ForwardAuth,
  { status, headers, body }: OutboundAnswer,
): Answer {
  const shown = client_headers.flatMap((name) => {
    const value = headers[name.toLowerCase()];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { status, body, headers: Object.fromEntries(shown) };
}
