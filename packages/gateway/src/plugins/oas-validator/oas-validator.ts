import type { Answer } from '../../core/answer.ts';
import { asError } from '../../core/as-error.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { reasonOf } from '../given-schema.ts';
import { createOutbound } from '../outbound.ts';
import { definePlugin } from '../plugin.ts';
import { REQUEST_BODY_BYTES } from '../request-body-bytes.ts';
import { urlFault } from '../url-fault.ts';
import { type ApiDocument, type BodyRule, type Found, readDocument } from './document.ts';
import { queryValue, simpleValue } from './parameter-value.ts';

interface OasValidator {
  readonly spec?: string;
  readonly spec_url?: string;
  readonly spec_url_request_headers?: Readonly<Record<string, string>>;
  readonly ssl_verify: boolean;
  readonly timeout: number;
  readonly verbose_errors: boolean;
  readonly skip_request_body_validation: boolean;
  readonly skip_request_header_validation: boolean;
  readonly skip_query_param_validation: boolean;
  readonly skip_path_params_validation: boolean;
  readonly reject_if_not_match: boolean;
  readonly rejection_status_code: number;
  readonly max_req_body_size: number;
}

const DEFAULT_TTL_S = 3600;
const FLAG = { type: 'boolean', default: false } as const;

const PET = {
  required: true,
  content: { 'application/json': { schema: { type: 'object', required: ['name'] } } },
};

/** Lets only requests through that an OpenAPI document describes. */
export const oasValidator = definePlugin<OasValidator>({
  name: 'oas-validator',
  priority: 512,
  summary: 'Lets only requests through that an OpenAPI 3 document describes.',
  example: {
    spec: JSON.stringify({
      openapi: '3.0.2',
      info: { title: 'Pets', version: '1' },
      paths: { '/pet': { post: { requestBody: PET } } },
    }),
    verbose_errors: true,
  },
  notes: [
    'Paths match as they stand in the document and behind the path of one of its `servers`. Cookies, formats (`date-time`) and bodies that are neither JSON, form nor text are not looked into.',
    'Schemas are of draft 7 with `nullable`; what is `readOnly` is not required of a request. References lead within the document.',
    'A document from `spec_url` has at most 1 MiB. While it cannot be had the last one is used; without one requests get 500.',
  ],
  schema: {
    type: 'object',
    properties: {
      spec: { type: 'string', minLength: 1, description: 'the document, in JSON' },
      spec_url: { type: 'string', pattern: '^https?://', description: 'where it is' },
      spec_url_request_headers: { type: 'object', additionalProperties: { type: 'string' } },
      ssl_verify: FLAG,
      timeout: {
        type: 'integer',
        minimum: 1000,
        maximum: 60_000,
        default: 10_000,
        description: 'ms',
      },
      verbose_errors: { ...FLAG, description: 'answers say what is wrong' },
      skip_request_body_validation: FLAG,
      skip_request_header_validation: FLAG,
      skip_query_param_validation: FLAG,
      skip_path_params_validation: FLAG,
      reject_if_not_match: { type: 'boolean', default: true, description: 'else a warning' },
      rejection_status_code: { type: 'integer', minimum: 400, maximum: 599, default: 400 },
      max_req_body_size: REQUEST_BODY_BYTES,
    },
    oneOf: [{ required: ['spec'] }, { required: ['spec_url'] }],
  },
  metadataSchema: {
    type: 'object',
    properties: {
      spec_url_ttl: {
        type: 'integer',
        minimum: 1,
        default: DEFAULT_TTL_S,
        description: 'seconds that a document from `spec_url` is used',
      },
    },
  },
  secretFields: ['spec_url_request_headers'],
  check({ spec, spec_url }) {
    const wrong = spec_url === undefined ? undefined : urlFault('spec_url', spec_url);
    if (wrong !== undefined) return wrong;
    const document = spec === undefined ? undefined : readDocument(spec);
    return document instanceof Error ? `invalid spec: ${document.message}` : undefined;
  },
  create(conf, { metadata, now, warn }) {
    const given = conf.spec === undefined ? undefined : readDocument(conf.spec);
    const remote = createRemote(conf, {
      ttlMs: () => Number(metadata()?.['spec_url_ttl'] ?? DEFAULT_TTL_S) * 1_000,
      now,
      warn,
    });

    async function access(context: RequestContext): Promise<Answer | undefined> {
      const document = given ?? (await remote.document());
      if (document instanceof Error) {
        return { status: 500, body: { message: 'failed to get the OpenAPI document' } };
      }
      const why = await violation(context, document, conf);
      if (why === undefined) return undefined;
      if (!conf.reject_if_not_match) {
        warn(`a request that the document does not describe: ${why}`);
        return undefined;
      }
      const message = 'failed to validate request';
      return {
        status: conf.rejection_status_code,
        body: { message: conf.verbose_errors ? `${message}: ${why}` : message },
      };
    }

    return { access, close: remote.close };
  },
});

/** The document at `spec_url`, asked for once in `ttlMs`, by one request for all that wait. */
function createRemote(
  conf: OasValidator,
  parts: { ttlMs(): number; now(): number; warn(message: string): void },
) {
  const service = createOutbound({
    timeoutMs: conf.timeout,
    verifiesTls: conf.ssl_verify,
    keepAlive: false,
    keepAliveMs: conf.timeout,
    idleMax: 1,
  });
  let known: ApiDocument | undefined;
  let untilMs = 0;
  let asking: Promise<ApiDocument | Error> | undefined;

  async function ask(): Promise<ApiDocument | Error> {
    const headers = conf.spec_url_request_headers ?? {};
    const answer = await service.ask({ url: conf.spec_url ?? '', method: 'GET', headers });
    const isGot = !(answer instanceof Error) && answer.status === 200;
    const read = isGot ? readDocument(answer.body.toString()) : answer;
    if (isGot && !(read instanceof Error) && 'find' in read) {
      known = read;
      untilMs = parts.now() + parts.ttlMs();
      return read;
    }
    const why = read instanceof Error ? read.message : `status ${isGot ? 200 : statusOf(answer)}`;
    parts.warn(`${conf.spec_url}: ${why}`);
    return known ?? new Error(why);
  }

  return {
    async document(): Promise<ApiDocument | Error> {
      if (known !== undefined && parts.now() < untilMs) return known;
      asking ??= ask().finally(() => (asking = undefined));
      return asking;
    },
    close: () => service.close(),
  };
}

function statusOf(answer: { readonly status: number } | Error): number {
  return answer instanceof Error ? 0 : answer.status;
}

/** Undefined when the document describes the request. */
async function violation(
  context: RequestContext,
  document: ApiDocument,
  conf: OasValidator,
): Promise<string | undefined> {
  const found = document.find(context.method, context.path);
  if (found === undefined) return `no path matches ${context.path}`;
  if (found === 'no method') return `method ${context.method} is not there for ${context.path}`;
  const fault = parameterFault(context, found, conf);
  if (fault !== undefined || conf.skip_request_body_validation) return fault;
  const { bodies, isBodyRequired } = found.operation;
  if (bodies.length === 0) return undefined;
  const bytes = await context.body.read(conf.max_req_body_size);
  if (bytes === undefined) return `more than ${conf.max_req_body_size} octets of body`;
  if (bytes.length === 0) return isBodyRequired ? 'the body is required' : undefined;
  return bodyFault(bytes.toString(), context.headers.get('content-type'), bodies);
}

function parameterFault(
  context: RequestContext,
  { operation, values }: Found,
  conf: OasValidator,
): string | undefined {
  const isSkipped = {
    path: conf.skip_path_params_validation,
    query: conf.skip_query_param_validation,
    header: conf.skip_request_header_validation,
  };
  for (const parameter of operation.parameters) {
    const { name, place, isRequired, accepts } = parameter;
    if (isSkipped[place]) continue;
    const given = place === 'path' ? values.get(name) : context.headers.joined(name.toLowerCase());
    const value =
      place === 'query'
        ? queryValue(parameter, context.arguments())
        : simpleValue(parameter, given);
    if (value === undefined) {
      if (isRequired) return `${place} parameter "${name}" is required`;
    } else if (!accepts({ value })) return `${place} parameter "${name}": ${reasonOf(accepts)}`;
  }
  return undefined;
}

function bodyFault(
  text: string,
  contentType: string | undefined,
  rules: readonly BodyRule[],
): string | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? 'application/json';
  const rule =
    rules.find(({ mediaType }) => mediaType.split(';')[0]?.trim() === type) ??
    rules.find(({ mediaType }) => mediaType === `${type.split('/')[0]}/*`) ??
    rules.find(({ mediaType }) => mediaType === '*/*');
  if (rule === undefined) return `no body of type ${type} is there`;
  const { accepts } = rule;
  const value = accepts === undefined ? undefined : bodyValue(text, type);
  if (accepts === undefined || value === undefined) return undefined;
  if (value instanceof Error) return value.message;
  return accepts(value) ? undefined : reasonOf(accepts);
}

/** Undefined for what is not looked into. */
function bodyValue(text: string, type: string): unknown {
  if (type.includes('urlencoded')) {
    const form = new URLSearchParams(text);
    return Object.fromEntries(
      [...form.keys()].map((name) => {
        const all = form.getAll(name);
        return [name, all.length === 1 ? all[0] : all];
      }),
    );
  }
  if (type === 'text/plain') return text;
  if (!/[/+]json$/.test(type)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return asError(error);
  }
}
