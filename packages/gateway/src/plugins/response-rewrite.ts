import type { HeaderFields } from '../core/http/header-fields.ts';
import { compileExpression } from '../core/match/expression.ts';
import { compilePattern, type Pattern, withCaptures } from '../core/match/pattern.ts';
import type { RequestContext } from '../core/request-context.ts';
import { resolveTemplate } from '../core/template.ts';
import { isStrictBase64 } from './base64.ts';
import { isReadable } from './decoded-body.ts';
import { dropEntityFields } from './entity-fields.ts';
import { createHeldBody, type HeldBody } from './held-body.ts';
import { definePlugin } from './plugin.ts';
import { RESPONSE_BODY_BYTES } from './response-body-bytes.ts';
import {
  fieldChanges,
  fieldFault,
  RESPONSE_FIELDS,
  type ResponseFieldChanges,
} from './response-fields.ts';

interface ResponseRewrite {
  readonly status_code?: number;
  readonly body?: string;
  readonly body_base64: boolean;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly vars?: readonly unknown[];
  readonly filters?: readonly Filter[];
  readonly max_resp_body_size: number;
}

interface Filter {
  readonly regex: string;
  readonly scope: 'once' | 'global';
  readonly replace: string;
  readonly options: string;
}

const EMPTY = Buffer.alloc(0);

/** Changes status, fields and body of what is answered. */
export const responseRewrite = definePlugin<ResponseRewrite>({
  name: 'response-rewrite',
  priority: 899,
  summary: 'Changes status, headers and body of the answer.',
  example: {
    headers: { set: { 'X-Server-Id': '3' }, remove: ['X-Powered-By'] },
    filters: [{ regex: 'hello', scope: 'global', replace: 'hi' }],
    vars: [['status', '==', 200]],
  },
  notes: [
    'Filters see gzip, deflate and br decoded; a body in any other coding passes as it is.',
    'Of a body past `max_resp_body_size` they see, and the client gets, its first part.',
  ],
  schema: {
    type: 'object',
    properties: {
      headers: RESPONSE_FIELDS,
      body: { type: 'string' },
      body_base64: { type: 'boolean', default: false },
      status_code: { type: 'integer', minimum: 200, maximum: 598 },
      vars: { type: 'array' },
      filters: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          properties: {
            regex: { type: 'string', minLength: 1 },
            scope: { type: 'string', enum: ['once', 'global'], default: 'once' },
            replace: { type: 'string' },
            options: { type: 'string', default: 'jo' },
          },
          required: ['regex', 'replace'],
        },
      },
      max_resp_body_size: {
        ...RESPONSE_BODY_BYTES,
        description: 'octets that filters take of a body',
      },
    },
    dependencies: {
      body: { not: { required: ['filters'] } },
      filters: { not: { required: ['body'] } },
    },
    minProperties: 1,
  },
  check({ body, body_base64, headers, vars, filters }) {
    if (body_base64 && !isStrictBase64(body ?? '')) return 'invalid base64 content';
    const field = headers === undefined ? undefined : fieldFault(headers);
    if (field !== undefined) return field;
    const compiled = compileExpression(vars ?? []);
    if (compiled.kind === 'invalid') {
      return `failed to validate the 'vars' expression: ${compiled.reason}`;
    }
    for (const { regex, options } of filters ?? []) {
      const pattern = compilePattern(regex, options);
      if (pattern.kind === 'invalid') {
        return `regex "${regex}" validation failed:${pattern.reason}`;
      }
    }
    return undefined;
  },
  create(conf) {
    const slot = Symbol('rewriting');
    const changes = fieldChanges(conf.headers);
    const vars = compileExpression(conf.vars ?? []);
    const replaced =
      conf.body === undefined
        ? undefined
        : Buffer.from(conf.body, conf.body_base64 ? 'base64' : 'utf8');
    const filters = filtersOf(conf.filters ?? []);
    const bytesMax = conf.max_resp_body_size;
    const hasBody = replaced !== undefined || filters.length > 0;

    function applies(context: RequestContext): boolean {
      return vars.kind === 'expression' && vars.holds((name) => context.variable(name));
    }

    return {
      header_filter(context) {
        const { response } = context;
        if (response === undefined || !applies(context)) return;
        const encoding = response.fields.get('content-encoding');
        // What cannot be read is not filtered: its fields stay true.
        if (hasBody && (replaced !== undefined || isReadable(encoding))) {
          context.setSlot(slot, createHeldBody(encoding, bytesMax));
          dropEntityFields(response.fields);
        }
        if (conf.status_code !== undefined) response.status = conf.status_code;
        applyChanges(response.fields, changes, (text) => resolveTemplate(context, text).text);
      },
      ...(hasBody
        ? {
            body_filter(context: RequestContext, bytes: Buffer, isLast: boolean): Buffer {
              const held = context.slot<HeldBody>(slot);
              if (held === undefined) return bytes;
              if (replaced !== undefined) return isLast ? replaced : EMPTY;
              held.add(bytes);
              return isLast ? filtered(held.decoded(), filters) : EMPTY;
            },
          }
        : {}),
    };
  },
});

type BodyFilter = (text: string) => string;

function filtersOf(filters: readonly Filter[]): readonly BodyFilter[] {
  return filters.flatMap(({ regex, options, scope, replace }) => {
    const pattern = compilePattern(regex, options);
    return pattern.kind === 'pattern' ? [replacing(pattern, scope, replace)] : [];
  });
}

function replacing(pattern: Pattern, scope: Filter['scope'], template: string): BodyFilter {
  const by = (captures: Parameters<typeof withCaptures>[1]): string =>
    withCaptures(template, captures);
  return (text) => pattern.replace(text, scope === 'once' ? 'first' : 'all', by);
}

/** Text as UTF-8, anything else octet by octet: what is no text passes unharmed. */
function filtered(body: Buffer, filters: readonly BodyFilter[]): Buffer {
  const text = body.toString('utf8');
  const isText = Buffer.byteLength(text) === body.length && !text.includes('\ufffd');
  const spelling = isText ? 'utf8' : 'latin1';
  const done = filters.reduce((so, filter) => filter(so), body.toString(spelling));
  return Buffer.from(done, spelling);
}

function applyChanges(
  fields: HeaderFields,
  { add, set, remove }: ResponseFieldChanges,
  resolve: (text: string) => string,
): void {
  for (const [name, value] of add) fields.add(name, resolve(value));
  for (const [name, value] of set) fields.set(name, resolve(value));
  for (const name of remove) fields.remove(name);
}
