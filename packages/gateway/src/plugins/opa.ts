import type { Answer } from '../core/answer.ts';
import type { Consumer } from '../core/consumer.ts';
import type { RequestContext } from '../core/request-context.ts';
import { definePlugin } from './plugin.ts';
import { REQUEST_BODY_BYTES } from './request-body-bytes.ts';
import { openService, SERVICE_FIELDS, type ServiceFields } from './service-fields.ts';
import { urlFault } from './url-fault.ts';

interface Opa extends ServiceFields {
  readonly host: string;
  readonly policy: string;
  readonly with_route: boolean;
  readonly with_service: boolean;
  readonly with_consumer: boolean;
  readonly with_body: boolean;
  readonly send_headers_upstream: readonly string[];
  readonly max_req_body_size: number;
}

/** What a policy decides. Source: APISIX's documentation of the plugin. */
interface Decision {
  readonly allow?: unknown;
  readonly reason?: unknown;
  readonly headers?: unknown;
  readonly status_code?: unknown;
}

const FLAG = { type: 'boolean', default: false } as const;

/** Asks Open Policy Agent whether a request may pass. */
export const opa = definePlugin<Opa>({
  name: 'opa',
  priority: 2001,
  summary: 'Asks Open Policy Agent whether a request may pass.',
  example: { host: 'http://127.0.0.1:8181', policy: 'example' },
  notes: [
    '`with_route` and `with_service` send the objects as they are in force, `with_consumer` the whole consumer: their plugins hold secrets.',
  ],
  schema: {
    type: 'object',
    properties: {
      host: { type: 'string', pattern: '^https?://' },
      policy: { type: 'string', minLength: 1, description: 'path of package and decision' },
      ...SERVICE_FIELDS,
      with_route: FLAG,
      with_service: FLAG,
      with_consumer: FLAG,
      with_body: FLAG,
      send_headers_upstream: {
        type: 'array',
        minItems: 1,
        items: { type: 'string' },
        description: "headers of the decision's `headers` that the upstream gets",
      },
      max_req_body_size: REQUEST_BODY_BYTES,
    },
    required: ['host', 'policy'],
  },
  check: ({ host }) => urlFault('host', host),
  create(conf, { warn }) {
    const { send_headers_upstream: told = [] } = conf;
    const url = `${conf.host.replace(/\/+$/, '')}/v1/data/${conf.policy}`;
    const service = openService(conf);

    async function access(context: RequestContext): Promise<Answer | undefined> {
      const body = conf.with_body ? await context.body.read(conf.max_req_body_size) : undefined;
      if (conf.with_body && body === undefined) return { status: 413 };
      const answer = await service.ask({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify({ input: inputOf(context, conf, body) })),
      });
      if (answer instanceof Error) {
        warn(`OPA does not answer: ${answer.message}`);
        return { status: 403 };
      }
      const decision = decisionOf(answer.body);
      if (decision === undefined) {
        warn(`OPA has decided nothing: status ${answer.status}`);
        return { status: 503 };
      }
      const headers = textsOf(decision.headers);
      if (decision.allow !== true) return refusal(decision, headers);
      for (const name of told) {
        // What the policy does not say, the client may not say in its place.
        context.headers.remove(name);
        const value = headers[name] ?? headers[name.toLowerCase()];
        if (value !== undefined) context.headers.set(name, value);
      }
      return undefined;
    }

    return { access, close: () => service.close() };
  },
});

function inputOf(context: RequestContext, conf: Opa, body: Buffer | undefined): unknown {
  const { headers, peer, clientIp, clientPort, route, consumer } = context;
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(context.arguments().keys())) {
    query[name] = single(context.arguments().getAll(name));
  }
  return {
    type: 'http',
    request: {
      scheme: context.variable('scheme'),
      method: context.method,
      host: context.host,
      port: peer.localPort,
      path: context.path,
      headers: Object.fromEntries(
        [...headers.keys()].map((key) => [key, single(headers.all(key))]),
      ),
      query,
      ...(body === undefined ? {} : { body: body.toString() }),
    },
    var: {
      server_addr: peer.localAddress,
      server_port: String(peer.localPort),
      remote_addr: clientIp,
      remote_port: String(clientPort),
      timestamp: Math.floor(context.startMs / 1_000),
    },
    ...(conf.with_route ? { route: route?.object } : {}),
    ...(conf.with_service ? { service: route?.service } : {}),
    ...(conf.with_consumer && consumer !== undefined ? { consumer: consumerFor(consumer) } : {}),
  };
}

/** As it is stored. */
function consumerFor({ username, groupId, labels, plugins }: Consumer): unknown {
  return { username, consumer_name: username, group_id: groupId, labels, plugins };
}

function single(values: readonly string[]): string | string[] {
  return values.length === 1 ? (values[0] ?? '') : [...values];
}

/** Undefined when it is no JSON, or OPA has no such policy. */
function decisionOf(body: Buffer): Decision | undefined {
  try {
    const { result } = JSON.parse(body.toString()) as { readonly result?: unknown };
    return typeof result === 'object' && result !== null ? result : undefined;
  } catch {
    return undefined;
  }
}

function refusal(
  { reason, status_code }: Decision,
  headers: Readonly<Record<string, string>>,
): Answer {
  const status = Number(status_code ?? 403);
  const isStatus = Number.isInteger(status) && status >= 200 && status <= 599;
  return {
    status: isStatus ? status : 403,
    headers,
    ...(reason === undefined || reason === null
      ? {}
      : { body: typeof reason === 'object' ? JSON.stringify(reason) : String(reason) }),
  };
}

function textsOf(headers: unknown): Readonly<Record<string, string>> {
  if (typeof headers !== 'object' || headers === null) return {};
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      String(value).replace(/[^\t\x20-\x7e\x80-\xff]/g, ' '),
    ]),
  );
}
