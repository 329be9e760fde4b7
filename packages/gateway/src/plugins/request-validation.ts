import type { Answer } from '../core/answer.ts';
import type { RequestContext } from '../core/request-context.ts';
import { compileGiven, type GivenSchema, givenFault, reasonOf } from './given-schema.ts';
import { definePlugin } from './plugin.ts';
import { REQUEST_BODY_BYTES } from './request-body-bytes.ts';

interface RequestValidation {
  readonly header_schema?: GivenSchema;
  readonly body_schema?: GivenSchema;
  readonly rejected_code: number;
  readonly rejected_msg?: string;
  readonly max_req_body_size: number;
}

/** Lets only requests through whose fields and body a JSON Schema accepts. */
export const requestValidation = definePlugin<RequestValidation>({
  name: 'request-validation',
  priority: 2800,
  summary: 'Lets only requests through whose headers and body a JSON Schema accepts.',
  example: {
    body_schema: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string', maxLength: 64 } },
    },
    rejected_msg: 'a name is needed',
  },
  notes: [
    'The upstream gets the JSON that was validated, defaults filled in: a key that stood twice stands once. Integers past 2^53 lose digits, as in APISIX.',
    'Schemas are of draft 7; `exclusiveMinimum: true` of draft 4 is understood.',
  ],
  schema: {
    type: 'object',
    properties: {
      header_schema: { type: 'object' },
      body_schema: { type: 'object' },
      rejected_code: { type: 'integer', minimum: 200, maximum: 599, default: 400 },
      rejected_msg: { type: 'string', minLength: 1, maxLength: 256 },
      max_req_body_size: REQUEST_BODY_BYTES,
    },
    anyOf: [{ required: ['header_schema'] }, { required: ['body_schema'] }],
  },
  check({ header_schema, body_schema }) {
    for (const schema of [header_schema, body_schema]) {
      if (schema === undefined) continue;
      const fault = givenFault(schema);
      if (fault !== undefined) return fault;
    }
    return undefined;
  },
  create({ header_schema, body_schema, rejected_code, rejected_msg, max_req_body_size }) {
    const headers = header_schema === undefined ? undefined : compileGiven(header_schema);
    const body = body_schema === undefined ? undefined : compileGiven(body_schema);
    const rejection = (why: string): Answer => ({
      status: rejected_code,
      body: rejected_msg ?? why,
    });
    return {
      rewrite(context) {
        if (headers !== undefined && !headers(fieldsFor(context, header_schema))) {
          return rejection(reasonOf(headers));
        }
        if (body === undefined) return undefined;
        return context.body.read(max_req_body_size).then((bytes) => {
          if (bytes === undefined)
            return rejection(`more than ${max_req_body_size} octets of body`);
          if (bytes.length === 0) return rejection('the body is not there');
          const parsed = parseBody(context, bytes);
          if (typeof parsed === 'string') return rejection(parsed);
          if (!body(parsed.value)) return rejection(reasonOf(body));
          if (parsed.isJson) context.body.replace(Buffer.from(JSON.stringify(parsed.value)));
          return undefined;
        });
      },
    };
  },
});

/** Fields by the names that the schema spells, in any case; a field with several values as a list. */
function fieldsFor(
  { headers }: RequestContext,
  schema: GivenSchema | undefined,
): Record<string, string | string[]> {
  const required = schema?.['required'];
  const properties = schema?.['properties'];
  const spelled = [
    ...(Array.isArray(required) ? required.map(String) : []),
    ...(typeof properties === 'object' && properties !== null ? Object.keys(properties) : []),
  ];
  const spellings = new Map(spelled.map((name) => [name.toLowerCase(), name]));
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const key of headers.keys()) {
    const [first = '', ...rest] = headers.all(key);
    fields[spellings.get(key) ?? key] = rest.length === 0 ? first : [first, ...rest];
  }
  return fields;
}

/** Text says why it cannot be read. */
function parseBody(
  { headers }: RequestContext,
  bytes: Buffer,
): { readonly value: unknown; readonly isJson: boolean } | string {
  const types = headers.all('content-type');
  // Two would be read one way here and the other way by the upstream.
  if (types.length > 1) return 'Content-Type is there twice';
  const type = types[0]?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') {
    return { value: formOf(bytes.toString()), isJson: false };
  }
  try {
    return { value: JSON.parse(bytes.toString()), isJson: true };
  } catch (error) {
    return error instanceof Error ? error.message : 'the body is not JSON';
  }
}

function formOf(text: string): Record<string, string | string[]> {
  const form: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const known = form[name];
    form[name] = known === undefined ? value : [...[known].flat(), value];
  }
  return form;
}
