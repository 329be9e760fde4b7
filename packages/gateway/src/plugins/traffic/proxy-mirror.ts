import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { RequestContext } from '../../core/request-context.ts';
import { definePlugin } from '../plugin.ts';
import { urlFault } from '../url-fault.ts';

interface ProxyMirror {
  readonly host: string;
  readonly path?: string;
  readonly path_concat_mode: 'replace' | 'prefix';
  readonly sample_ratio: number;
}

/** Octets of a body that wait for a slow mirror; then the copy is given up and counted. */
const WAITING_BYTES_MAX = 1 << 20;
/** Copies under way for one configuration; more requests are not mirrored, and counted. */
const UNDER_WAY_MAX = 256;
const TIMEOUT_MS = 60_000;
const NOT_COPIED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'expect',
  'host',
  'transfer-encoding',
]);

/** Sends a copy of requests to another host and forgets the answers. */
export const proxyMirror = definePlugin<ProxyMirror>({
  name: 'proxy-mirror',
  priority: 1010,
  observes: true,
  summary: 'Sends a copy of requests to another host, whose answers are forgotten.',
  schema: {
    type: 'object',
    properties: {
      host: {
        type: 'string',
        pattern: '^https?://([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?$',
      },
      path: { type: 'string', pattern: '^/[^?&]+$' },
      path_concat_mode: { type: 'string', enum: ['replace', 'prefix'], default: 'replace' },
      sample_ratio: { type: 'number', minimum: 0.000_01, maximum: 1, default: 1 },
    },
    required: ['host'],
  },
  check: ({ host }) => urlFault('host', host),
  create(conf, environment) {
    const url = new URL(conf.host);
    const isTls = url.protocol === 'https:';
    const agent = new (isTls ? TlsAgent : PlainAgent)({
      keepAlive: true,
      maxSockets: UNDER_WAY_MAX,
    });
    const request = isTls ? tlsRequest : plainRequest;
    const target = Symbol('target');
    const label = { name: 'proxy mirror', routeId: environment.origin.id, serverAddr: conf.host };
    const counters = environment.batches.counters(label);

    function mirror(context: RequestContext, path: string): void {
      if (counters.pending >= UNDER_WAY_MAX) {
        counters.dropped += 1;
        return;
      }
      counters.pending += 1;
      let isOver = false;
      const over = (isSent: boolean): void => {
        if (isOver) return;
        isOver = true;
        counters.pending -= 1;
        if (isSent) counters.sent += 1;
        else counters.dropped += 1;
      };
      const copy = request(url, {
        agent,
        path,
        method: context.method,
        timeout: TIMEOUT_MS,
        headers: headersOf(context),
      });
      copy.on('response', (response) => {
        response.on('error', () => over(true));
        response.on('end', () => over(true));
        response.resume();
      });
      copy.on('timeout', () => copy.destroy());
      copy.on('error', () => over(false));
      copy.on('close', () => over(false));
      context.body.watch({
        data(bytes) {
          if (isOver) return;
          if (copy.writableLength > WAITING_BYTES_MAX) copy.destroy();
          else copy.write(bytes);
        },
        end: () => void copy.end(),
      });
    }

    return {
      rewrite(context) {
        const isChosen = conf.sample_ratio === 1 || Math.random() < conf.sample_ratio;
        if (isChosen) context.setSlot(target, mirrorPath(context, conf));
        return undefined;
      },
      before_proxy(context) {
        const path = context.slot<string>(target);
        if (path === undefined || context.tries.length !== 1) return;
        context.setSlot(target, undefined);
        mirror(context, path);
      },
      close: () => agent.destroy(),
    };
  },
});

/** What is asked there: as the request stands at this plugin's turn. */
function mirrorPath(context: RequestContext, { path, path_concat_mode }: ProxyMirror): string {
  const { rawPath, query } = context;
  const own = context.upstreamUri ?? (query === '' ? rawPath : `${rawPath}?${query}`);
  if (path === undefined) return own;
  if (path_concat_mode === 'prefix') return path + own;
  const at = own.indexOf('?');
  return at < 0 ? path : path + own.slice(at);
}

function headersOf(context: RequestContext): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    host: context.headers.get('host') ?? context.host,
  };
  for (const key of context.headers.keys()) {
    if (NOT_COPIED.has(key)) continue;
    const values = context.headers.all(key);
    headers[key] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return headers;
}
