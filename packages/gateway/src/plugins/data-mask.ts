import { changeAt, parseJsonPath } from '../core/json-path.ts';
import { compilePattern, patternFault, withCaptures } from '../core/match/pattern.ts';
import type { RequestContext } from '../core/request-context.ts';
import { setBodyMask } from './logging/body-mask.ts';
import { definePlugin } from './plugin.ts';

interface Rule {
  readonly type: 'query' | 'header' | 'body';
  readonly name: string;
  readonly action: 'remove' | 'replace' | 'regex';
  readonly body_format?: 'json' | 'urlencoded';
  readonly regex?: string;
  readonly value?: string;
}

interface DataMask {
  readonly request?: readonly Rule[];
  readonly max_body_size: number;
  readonly max_req_post_args: number;
}

/** What is shown in place of a value; undefined is nothing. */
type Mask = (value: string) => string | undefined;

const needs = (property: string, value: string, required: string) => ({
  if: { properties: { [property]: { const: value } }, required: [property] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: [required] },
});

/** Hides parts of requests from logs. */
export const dataMask = definePlugin<DataMask>({
  name: 'data-mask',
  priority: 1500,
  summary:
    'Hides arguments, headers and parts of bodies of requests from loggers and the access log.',
  example: {
    request: [
      { type: 'query', name: 'token', action: 'replace', value: '*****' },
      { type: 'body', body_format: 'json', name: '$.users[*].password', action: 'remove' },
    ],
  },
  notes: [
    'A body that cannot be masked (above `max_body_size`, cut by the logger, or not of its format) is left out of logs, where APISIX shows it.',
    'Only logs are changed: what the upstream gets is what the client has sent. Tracers, whose priority is higher, are not.',
  ],
  schema: {
    type: 'object',
    properties: {
      request: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            type: { type: 'string', enum: ['query', 'header', 'body'] },
            name: { type: 'string', minLength: 1, description: 'JSONPath for a body in JSON' },
            action: { type: 'string', enum: ['remove', 'replace', 'regex'] },
            body_format: { type: 'string', enum: ['json', 'urlencoded'] },
            regex: { type: 'string' },
            value: { type: 'string', description: 'with `$1` for groups of `regex`' },
          },
          required: ['type', 'name', 'action'],
          allOf: [
            needs('type', 'body', 'body_format'),
            needs('action', 'regex', 'regex'),
            needs('action', 'regex', 'value'),
            needs('action', 'replace', 'value'),
          ],
        },
      },
      max_body_size: { type: 'integer', minimum: 1, default: 1_048_576, description: 'octets' },
      max_req_post_args: {
        type: 'integer',
        minimum: 1,
        default: 100,
        description: 'fields of a form',
      },
    },
  },
  check({ request = [] }) {
    const path = request.find(
      ({ type, body_format, name }) =>
        type === 'body' && body_format === 'json' && parseJsonPath(name) === undefined,
    );
    if (path !== undefined) return `invalid JSONPath: ${path.name}`;
    return patternFault(request.flatMap(({ regex }) => regex ?? []));
  },
  create({ request = [], max_body_size, max_req_post_args }) {
    const rules = request.map((rule) => ({ ...rule, mask: maskOf(rule) }));
    const of = (type: Rule['type']) => rules.filter((rule) => rule.type === type);
    const [queries, headers, bodies] = [of('query'), of('header'), of('body')];

    function maskBody(text: string): string | undefined {
      if (Buffer.byteLength(text) > max_body_size) return undefined;
      let so = text;
      for (const { body_format, name, mask } of bodies) {
        const masked =
          body_format === 'json'
            ? maskedJson(so, name, mask)
            : maskedPairs(so, name, mask, max_req_post_args);
        if (masked === undefined) return undefined;
        so = masked;
      }
      return so;
    }

    return {
      log(context) {
        for (const { name, mask } of queries) {
          context.query = maskedPairs(context.query, name, mask, Infinity) ?? '';
        }
        if (queries.length > 0) showQuery(context);
        for (const { name, mask } of headers) maskHeader(context, name.toLowerCase(), mask);
        if (bodies.length === 0) return;
        setBodyMask(context, maskBody);
        const whole = context.body.whole()?.toString();
        if (whole !== undefined) context.setVariable('request_body', maskBody(whole) ?? '');
      },
    };
  },
});

function maskOf({ action, value = '', regex = '' }: Rule): Mask {
  if (action === 'remove') return () => undefined;
  if (action === 'replace') return () => value;
  const pattern = compilePattern(regex);
  if (pattern.kind === 'invalid') return () => undefined;
  return (text) => pattern.replace(text, 'all', (captures) => withCaptures(value, captures));
}

/** The rest of the log phase sees the target with the query as it now is. */
function showQuery(context: RequestContext): void {
  const [path = ''] = context.head.target.split('?');
  const target = context.query === '' ? path : `${path}?${context.query}`;
  context.head = { ...context.head, target };
}

function maskHeader({ headers }: RequestContext, name: string, mask: Mask): void {
  const masked = headers.all(name).map(mask);
  headers.remove(name);
  for (const value of masked) if (value !== undefined) headers.add(name, value);
}

/** `a=b&c=d` with values of `name` masked; undefined when there are more pairs than `most`. */
function maskedPairs(text: string, name: string, mask: Mask, most: number): string | undefined {
  const pairs = text.split('&');
  if (pairs.length > most) return undefined;
  const shown = pairs.flatMap((pair) => {
    const [found] = new URLSearchParams(pair);
    if (found?.[0] !== name) return [pair];
    const masked = mask(found[1]);
    return masked === undefined ? [] : [`${pair.split('=')[0]}=${encodeURIComponent(masked)}`];
  });
  return shown.join('&');
}

/** Undefined when it is no JSON. */
function maskedJson(text: string, name: string, mask: Mask): string | undefined {
  try {
    const document: unknown = JSON.parse(text);
    changeAt(document, parseJsonPath(name) ?? [], (value) =>
      mask(typeof value === 'object' ? JSON.stringify(value) : String(value)),
    );
    return JSON.stringify(document);
  } catch {
    return undefined;
  }
}
