import {
  type Captures,
  compilePattern,
  type Pattern,
  patternFault,
  withCaptures,
} from '../core/match/pattern.ts';
import type { RequestContext } from '../core/request-context.ts';
import { resolveTemplate } from '../core/template.ts';
import { encodedPath } from './encoded-path.ts';
import { applyHeaderChanges, HEADER_CHANGES, headerChanges } from './header-changes.ts';
import { definePlugin } from './plugin.ts';

interface ProxyRewrite {
  readonly uri?: string;
  readonly method?: string;
  readonly regex_uri?: readonly string[];
  readonly host?: string;
  readonly scheme?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly use_real_request_uri_unsafe: boolean;
}

interface UriRule {
  readonly pattern: Pattern;
  readonly template: string;
}

const METHODS = [
  'GET POST PUT DELETE PATCH HEAD OPTIONS CONNECT TRACE',
  'MKCOL COPY MOVE PROPFIND LOCK UNLOCK',
].flatMap((line) => line.split(' '));

/** Changes what is sent to the upstream: URI, method, host and fields. */
export const proxyRewrite = definePlugin<ProxyRewrite>({
  name: 'proxy-rewrite',
  priority: 1008,
  summary: 'Changes URI, method, host and headers of what is sent to the upstream.',
  example: { regex_uri: ['^/v1/(.*)', '/$1'], headers: { set: { 'X-Api-Version': 'v1' } } },
  schema: {
    type: 'object',
    properties: {
      uri: { type: 'string', minLength: 1, maxLength: 4096, pattern: '^\\/.*' },
      method: { type: 'string', enum: METHODS },
      regex_uri: { type: 'array', minItems: 2, items: { type: 'string' } },
      host: { type: 'string', pattern: '^[0-9a-zA-Z-.]+(:\\d{1,5})?$' },
      scheme: { type: 'string', enum: ['http', 'https'] },
      headers: HEADER_CHANGES,
      use_real_request_uri_unsafe: { type: 'boolean', default: false },
    },
    minProperties: 1,
  },
  check({ regex_uri, headers }) {
    const name = Object.keys(headers ?? {}).find((key) => key === '' || /[:\s]/.test(key));
    if (name !== undefined) return `invalid field name "${name}"`;
    if (regex_uri === undefined) return undefined;
    if (regex_uri.length % 2 !== 0) return 'The length of regex_uri should be an even number';
    for (const [at, source] of regex_uri.entries()) {
      const fault = at % 2 === 0 ? patternFault([source]) : undefined;
      if (fault !== undefined)
        return `invalid regex_uri(${source}, ${regex_uri[at + 1]}): ${fault}`;
    }
    return undefined;
  },
  create(conf) {
    const rules = uriRules(conf.regex_uri ?? []);
    const changes = headerChanges(conf.headers);
    return {
      rewrite(context) {
        const captures = rewriteUri(context, conf, rules);
        if (conf.method !== undefined) context.method = conf.method;
        if (conf.host !== undefined)
          context.upstreamHost = resolveTemplate(context, conf.host).text;
        if (conf.scheme !== undefined) context.upstreamScheme = conf.scheme;
        applyHeaderChanges(context.headers, changes, (value) => {
          const given = captures === undefined ? value : withCaptures(value, captures);
          return resolveTemplate(context, given).text;
        });
        return undefined;
      },
    };
  },
});

/** Sets `upstreamUri`; answers what a rule of `regex_uri` captured, for the headers. */
function rewriteUri(
  context: RequestContext,
  conf: ProxyRewrite,
  rules: readonly UriRule[],
): Captures | undefined {
  const isRaw = conf.use_real_request_uri_unsafe;
  if (conf.uri !== undefined) {
    const uri = filled(context, conf.uri);
    context.upstreamUri = withQuery(context, isRaw ? uri : encoded(uri));
    return undefined;
  }
  const source = isRaw ? context.rawPath : context.path;
  // A question mark of the decoded path may not become the one that begins a query.
  const safe = source.includes('?') ? encodedWhole : encoded;
  for (const { pattern, template } of rules) {
    const captures = pattern.find(source);
    if (captures === undefined) continue;
    const { start, end } = captures;
    const rewritten = source.slice(0, start) + withCaptures(template, captures) + source.slice(end);
    const uri = filled(context, rewritten);
    context.upstreamUri = withQuery(context, isRaw ? uri : safe(uri));
    return captures;
  }
  context.upstreamUri = withQuery(context, isRaw ? source : safe(source));
  return undefined;
}

/**
 * With the values of its variables. A question mark in one of them begins no query; its escape is
 * escaped again with the path, as in APISIX.
 */
function filled(context: RequestContext, template: string): string {
  return resolveTemplate(context, template, (value) => value.replaceAll('?', '%3F')).text;
}

function uriRules(pairs: readonly string[]): readonly UriRule[] {
  return pairs.flatMap((text, at) => {
    const pattern = at % 2 === 0 ? compilePattern(text) : undefined;
    return pattern?.kind === 'pattern' ? [{ pattern, template: pairs[at + 1] ?? '' }] : [];
  });
}

/** The new URI with the client's own query behind it. */
function withQuery({ query }: RequestContext, uri: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly what a request line may not hold
  const safe = uri.replace(/[\x00-\x20\x7f-\uffff]/g, (character) => encodeURIComponent(character));
  if (query === '') return safe;
  return `${safe}${safe.includes('?') ? '&' : '?'}${query}`;
}

/** A decoded path as it may stand in a request line; what follows `?` is left as it is. */
function encoded(uri: string): string {
  const at = uri.indexOf('?');
  return at < 0 ? encodedPath(uri) : encodedPath(uri.slice(0, at)) + uri.slice(at);
}

/** As `encoded`, but a question mark is one more character of the path. */
function encodedWhole(path: string): string {
  return encodedPath(path).replaceAll('?', '%3F');
}
