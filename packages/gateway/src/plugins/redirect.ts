import { compilePattern, patternFault, withCaptures } from '../core/match/pattern.ts';
import type { RequestContext } from '../core/request-context.ts';
import { resolveTemplate } from '../core/template.ts';
import { encodedPath } from './encoded-path.ts';
import { definePlugin, type PluginEnvironment } from './plugin.ts';

interface Redirect {
  readonly ret_code: number;
  readonly uri?: string;
  readonly regex_uri?: readonly [string, string];
  readonly http_to_https?: boolean;
  readonly encode_uri: boolean;
  readonly append_query_string: boolean;
}

/** Sends the client elsewhere. */
export const redirect = definePlugin<Redirect>({
  name: 'redirect',
  priority: 900,
  summary: 'Sends the client to another URI, or from HTTP to HTTPS.',
  example: { http_to_https: true },
  schema: {
    type: 'object',
    properties: {
      ret_code: { type: 'integer', minimum: 200, default: 302 },
      uri: { type: 'string', minLength: 2, description: 'may hold $variables' },
      regex_uri: {
        type: 'array',
        description: 'a pattern over the path, and what stands for it',
        items: { type: 'string' },
        minItems: 2,
        maxItems: 2,
      },
      http_to_https: { type: 'boolean' },
      encode_uri: { type: 'boolean', default: false },
      append_query_string: { type: 'boolean', default: false },
    },
    oneOf: [{ required: ['uri'] }, { required: ['regex_uri'] }, { required: ['http_to_https'] }],
  },
  check({ regex_uri, http_to_https, append_query_string }) {
    if (regex_uri !== undefined) {
      const fault = patternFault([regex_uri[0]]);
      if (fault !== undefined) return `invalid regex_uri(${regex_uri.join(', ')}): ${fault}`;
    }
    if (http_to_https === true && append_query_string) {
      return 'only one of `http_to_https` and `append_query_string` can be configured.';
    }
    return undefined;
  },
  create(conf, environment) {
    const target = targetOf(conf);
    return {
      rewrite(context) {
        if (conf.http_to_https === true && protocolOf(context) === 'http') {
          const isSafe = context.method === 'GET' || context.method === 'HEAD';
          const port = httpsPort(environment);
          const authority = `${context.host}${port === undefined ? '' : `:${port}`}`;
          return answer(
            conf,
            context,
            `https://${authority}${context.head.target}`,
            isSafe ? 301 : 308,
          );
        }
        const uri = target(context);
        return uri === undefined ? undefined : answer(conf, context, uri, conf.ret_code);
      },
    };
  },
});

/** Where to send a request; undefined lets it pass. */
function targetOf({ uri, regex_uri }: Redirect): (context: RequestContext) => string | undefined {
  if (uri !== undefined) return (context) => resolveTemplate(context, uri).text;
  if (regex_uri === undefined) return () => undefined;
  const [source, template] = regex_uri;
  const pattern = compilePattern(source);
  if (pattern.kind === 'invalid') return () => undefined;
  return ({ path }) =>
    pattern.test(path)
      ? pattern.replace(path, 'first', (captures) => withCaptures(template, captures))
      : undefined;
}

function answer(conf: Redirect, { query }: RequestContext, uri: string, status: number) {
  const at = uri.indexOf('?');
  const [path, rest] = at < 0 ? [uri, ''] : [uri.slice(0, at), uri.slice(at)];
  const target = (conf.encode_uri ? encodedPath(path) : path) + rest;
  const isAppended = conf.append_query_string && query !== '';
  const tail = isAppended ? `${at < 0 ? '?' : '&'}${query}` : '';
  return { status, headers: { Location: target + tail } };
}

/** What a trusted proxy before the gateway says, else what the connection is. */
function protocolOf({ headers, peer }: RequestContext): string {
  return headers.get('x-forwarded-proto') ?? (peer.isTls ? 'https' : 'http');
}

/** The configured port, else one that the gateway listens on; undefined where none need be named. */
function httpsPort({
  attributes,
  facts,
}: Pick<PluginEnvironment, 'attributes' | 'facts'>): number | undefined {
  const given = attributes['https_port'];
  const port = typeof given === 'number' ? given : facts.httpsPorts[0];
  return port === undefined || port === 443 || port <= 0 || port > 65_535 ? undefined : port;
}
