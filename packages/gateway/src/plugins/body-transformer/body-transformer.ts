import type { RequestContext } from '../../core/request-context.ts';
import { isStrictBase64 } from '../base64.ts';
import { isReadable } from '../decoded-body.ts';
import { dropEntityFields } from '../entity-fields.ts';
import { createHeldBody, type HeldBody } from '../held-body.ts';
import { definePlugin } from '../plugin.ts';
import { REQUEST_BODY_BYTES } from '../request-body-bytes.ts';
import { RESPONSE_BODY_BYTES } from '../response-body-bytes.ts';
import { decodeInput, formatOf, INPUT_FORMATS, type InputFormat } from './input.ts';
import { TemplateError } from './lua-tokens.ts';
import { LuaReader, type LuaValue } from './lua-values.ts';
import { compileTemplate, type Template } from './template.ts';

interface Transform {
  readonly input_format?: InputFormat;
  readonly template: string;
  readonly template_is_base64: boolean;
}

interface BodyTransformer {
  readonly request?: Transform;
  readonly response?: Transform;
  readonly max_req_body_size: number;
  readonly max_resp_body_size: number;
}

/** Characters that a rendering may have. */
const RENDERED_SIZE_MAX = 1 << 26;
/** Formats of which APISIX takes a template for base64 wherever it can be. */
const GUESSED: ReadonlySet<string | undefined> = new Set(['xml', 'json', 'plain', 'multipart']);

const TRANSFORM = {
  type: 'object',
  properties: {
    input_format: {
      type: 'string',
      enum: INPUT_FORMATS,
      description: 'by Content-Type unless given',
    },
    template: { type: 'string', description: "in lua-resty-template's syntax" },
    template_is_base64: { type: 'boolean', default: false },
  },
  required: ['template'],
} as const;

/** Makes bodies anew from templates: JSON of XML, SOAP of JSON. */
export const bodyTransformer = definePlugin<BodyTransformer>({
  name: 'body-transformer',
  priority: 1080,
  summary: "Makes the request's or the answer's body anew from a template.",
  example: {
    request: { input_format: 'json', template: '<name>{*_escape_xml(name)*}</name>' },
    response: { input_format: 'xml', template: '{"name":{*_escape_json(user.name)*}}' },
  },
  notes: [
    'Templates are not run as Lua. Understood are `{{ }}`, `{* *}`, `{# #}`, `{-raw-}` and, in `{% %}`, `if`, `for` (with `ipairs`, `pairs` or numbers), `local` and assignments; every operator of Lua; the functions `_escape_json`, `_escape_xml`, `tostring`, `tonumber`, `type`, `string.upper`, `lower`, `len`, `sub`, `rep`, `gsub` (of plain text), `table.concat`, `math.floor`, `math.ceil`. Anything else (`require`, functions, tables, inclusion) is refused when it is written.',
    'A request that is not of its format, or whose template fails on it, gets 400 with `message`; an answer is then passed on as it is, with a warning.',
    'XML with a document type is refused.',
    'Of a multipart body the fields can be read; `_multipart` is not there.',
  ],
  schema: {
    type: 'object',
    properties: {
      request: TRANSFORM,
      response: TRANSFORM,
      max_req_body_size: REQUEST_BODY_BYTES,
      max_resp_body_size: RESPONSE_BODY_BYTES,
    },
    anyOf: [{ required: ['request'] }, { required: ['response'] }],
  },
  check({ request, response }) {
    for (const [name, transform] of Object.entries({ request, response })) {
      const compiled = transform === undefined ? undefined : compiledOf(transform);
      if (typeof compiled === 'string') return `${name} template: ${compiled}`;
    }
    return undefined;
  },
  create(conf, { warn }) {
    const slot = Symbol('body-transformer');
    const { request, response } = conf;
    const [asked, answered] = [request, response].map((one) =>
      one === undefined ? undefined : compiledOf(one),
    );

    return {
      ...(request !== undefined && typeof asked === 'object'
        ? {
            async rewrite(context: RequestContext) {
              const bytes = await context.body.read(conf.max_req_body_size);
              if (bytes === undefined) return { status: 413 };
              const contentType = context.headers.get('content-type');
              const format = request.input_format ?? formatOf(contentType);
              const made = rendered(asked, { context, format, contentType, bytes });
              if (made instanceof Error) return { status: 400, body: { message: made.message } };
              context.body.replace(made);
              return undefined;
            },
          }
        : {}),
      ...(response !== undefined && typeof answered === 'object'
        ? {
            header_filter(context: RequestContext) {
              const fields = context.response?.fields;
              const encoding = fields?.get('content-encoding');
              if (fields === undefined || !isReadable(encoding)) return;
              context.setSlot(slot, createHeldBody(encoding, conf.max_resp_body_size));
              dropEntityFields(fields);
            },
            body_filter(context: RequestContext, bytes: Buffer, isLast: boolean): Buffer {
              const held = context.slot<HeldBody>(slot);
              if (held === undefined) return bytes;
              held.add(bytes);
              if (!isLast) return Buffer.alloc(0);
              const contentType = context.response?.fields.get('content-type');
              const format = response.input_format ?? formatOf(contentType);
              const whole = held.decoded();
              const made = rendered(answered, { context, format, contentType, bytes: whole });
              if (!(made instanceof Error)) return made;
              warn(`an answer is passed on as it is: ${made.message}`);
              return whole;
            },
          }
        : {}),
    };
  },
});

/** Text says why the template cannot be used. */
function compiledOf({ template, template_is_base64, input_format }: Transform): Template | string {
  const isBase64 = isStrictBase64(template);
  if (template_is_base64 && !isBase64) return 'not base64';
  const isEncoded = template_is_base64 || (isBase64 && GUESSED.has(input_format));
  try {
    return compileTemplate(isEncoded ? Buffer.from(template, 'base64').toString() : template);
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}

interface Input {
  readonly context: RequestContext;
  readonly format: InputFormat | undefined;
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
}

function rendered(
  template: Template,
  { context, format, contentType, bytes }: Input,
): Buffer | TemplateError {
  const text = bytes.toString();
  try {
    const body = decodeInput(format, text, { contentType, query: context.query });
    const extras = new Map<string, LuaValue>([
      ['_body', text],
      ['context', body],
      ['_ctx', { var: new LuaReader((name) => context.variable(name)) }],
    ]);
    return Buffer.from(template.render(body, extras, RENDERED_SIZE_MAX));
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}
