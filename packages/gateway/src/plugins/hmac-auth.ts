import { createHash, createHmac } from 'node:crypto';
import type { Credential } from '../core/consumer.ts';
import { messageAnswer, type RequestContext } from '../core/request-context.ts';
import { ANONYMOUS_CONSUMER, anonymous } from './anonymous.ts';
import { isSameSecret } from './constant-time.ts';
import { definePlugin } from './plugin.ts';
import { REQUEST_BODY_BYTES } from './request-body-bytes.ts';

const ALGORITHMS = ['hmac-sha1', 'hmac-sha256', 'hmac-sha512'] as const;

interface HmacAuth {
  readonly allowed_algorithms: readonly string[];
  readonly clock_skew: number;
  readonly signed_headers: readonly string[];
  readonly validate_request_body: boolean;
  readonly max_req_body_size: number;
  readonly hide_credentials: boolean;
  readonly realm: string;
  readonly anonymous_consumer?: string;
}

/** What `Authorization: Signature …` holds. */
interface SignatureFields {
  readonly keyId: string;
  readonly algorithm: string;
  readonly headers: readonly string[];
  readonly signature: string;
}

const INVALID = "client request can't be validated";

/** Asks for a signature over the request line and fields. Source: draft-cavage-http-signatures. */
export const hmacAuth = definePlugin<HmacAuth>({
  name: 'hmac-auth',
  priority: 2530,
  summary: "Asks for a signature over parts of the request, made with a consumer's secret.",
  example: { signed_headers: ['date', 'x-custom-header'], clock_skew: 60 },
  notes: ['Why a signature was refused is never told to the client, only that it was.'],
  isAuth: true,
  secretFields: ['secret_key'],
  schema: {
    type: 'object',
    title: 'work with route or service object',
    properties: {
      allowed_algorithms: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', enum: ALGORITHMS },
        default: ALGORITHMS,
      },
      clock_skew: { type: 'integer', default: 300, minimum: 1 },
      signed_headers: {
        type: 'array',
        items: { type: 'string', minLength: 1, maxLength: 50 },
        default: ['date'],
      },
      validate_request_body: { type: 'boolean', default: false },
      max_req_body_size: REQUEST_BODY_BYTES,
      hide_credentials: { type: 'boolean', default: false },
      realm: { type: 'string', default: 'hmac' },
      anonymous_consumer: ANONYMOUS_CONSUMER,
    },
  },
  consumerSchema: {
    type: 'object',
    title: 'work with consumer object',
    properties: {
      key_id: { type: 'string', minLength: 1, maxLength: 256 },
      secret_key: { type: 'string', minLength: 1, maxLength: 256 },
    },
    required: ['key_id', 'secret_key'],
  },
  create(conf, { consumers, now }) {
    const { hide_credentials, anonymous_consumer, max_req_body_size } = conf;
    const challenge = { 'WWW-Authenticate': `hmac realm="${conf.realm}"` };

    function identify(context: RequestContext, field: string): Credential | undefined {
      const fields = parseSignature(field);
      if (fields === undefined || !isAdmissible(context, fields, conf, now())) return undefined;
      const credential = consumers.find('hmac-auth', 'key_id', fields.keyId);
      const secret = credential?.conf['secret_key'];
      // An unknown key takes as long as a wrong signature.
      const expected = signatureOf(context, fields, typeof secret === 'string' ? secret : '-');
      const isSame = isSameSecret(expected, Buffer.from(fields.signature, 'base64'));
      return isSame && typeof secret === 'string' ? credential : undefined;
    }

    function refused(context: RequestContext, why: string) {
      if (anonymous_consumer === undefined) return messageAnswer(401, why, challenge);
      return anonymous(context, consumers, anonymous_consumer, challenge);
    }

    return {
      rewrite(context) {
        const field = context.headers.get('authorization');
        const credential = field === undefined ? undefined : identify(context, field);
        if (hide_credentials) context.headers.remove('authorization');
        if (credential === undefined) {
          const why = field === undefined ? `${INVALID}: missing Authorization header` : INVALID;
          return refused(context, why);
        }
        if (!conf.validate_request_body) {
          context.attachConsumer(credential);
          return undefined;
        }
        return context.body.read(max_req_body_size).then((body) => {
          if (body === undefined) return messageAnswer(413, INVALID);
          if (!hasDigestOf(context, body)) return refused(context, INVALID);
          context.attachConsumer(credential);
          return undefined;
        });
      },
    };
  },
});

/** Undefined when the scheme is another, a part is missing, or one is there twice. */
function parseSignature(field: string): SignatureFields | undefined {
  const rest = /^signature\s+(.*)$/is.exec(field)?.[1];
  if (rest === undefined) return undefined;
  const parts = new Map<string, string>();
  for (const [, name = '', value = ''] of rest.matchAll(/(\w+)="([^"]*)"/g)) {
    if (parts.has(name)) return undefined;
    parts.set(name, value);
  }
  const [keyId, signature] = [parts.get('keyId'), parts.get('signature')];
  const algorithm = parts.get('algorithm');
  if (!keyId || !signature || algorithm === undefined) return undefined;
  const headers = (parts.get('headers') ?? '').split(/\s+/).filter((name) => name !== '');
  return { keyId, algorithm, headers, signature };
}

/** What can be judged without the secret: algorithm, clock, and that enough is signed. */
function isAdmissible(
  { headers }: RequestContext,
  fields: SignatureFields,
  conf: HmacAuth,
  nowMs: number,
): boolean {
  if (!conf.allowed_algorithms.includes(fields.algorithm)) return false;
  const date = Date.parse(headers.get('date') ?? '');
  if (!(Math.abs(nowMs - date) <= conf.clock_skew * 1_000)) return false;
  const signed = new Set(fields.headers.map((name) => name.toLowerCase()));
  return conf.signed_headers.every((name) => signed.has(name.toLowerCase()));
}

/** Over the key's name and a line for each listed part, each line with its end. */
function signatureOf(
  { headers, head }: RequestContext,
  { keyId, algorithm, headers: names }: SignatureFields,
  secret: string,
): Buffer {
  const lines = [keyId];
  for (const name of names) {
    const value = headers.joined(name.toLowerCase());
    if (name === '@request-target') lines.push(`${head.method} ${head.target}`);
    else if (value !== undefined) lines.push(`${name}: ${value}`);
  }
  const hash = algorithm.slice('hmac-'.length);
  return createHmac(hash, secret)
    .update(`${lines.join('\n')}\n`)
    .digest();
}

/** Source: RFC 3230; SHA-256 alone is taken. */
function hasDigestOf({ headers }: RequestContext, body: Buffer): boolean {
  const expected = createHash('sha256').update(body).digest('base64');
  return isSameSecret(headers.get('digest') ?? '', `SHA-256=${expected}`);
}
