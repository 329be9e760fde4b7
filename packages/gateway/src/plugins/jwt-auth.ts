import type { KeyObject } from 'node:crypto';
import type { Credential } from '../core/consumer.ts';
import type { PluginConf } from '../core/objects.ts';
import { messageAnswer, type RequestContext } from '../core/request-context.ts';
import { ANONYMOUS_CONSUMER, anonymous } from './anonymous.ts';
import { isStrictBase64 } from './base64.ts';
import { definePlugin } from './plugin.ts';
import {
  isInTime,
  isSignedWith,
  KEY_ALGORITHMS,
  parseSignedToken,
  SECRET_ALGORITHMS,
  type SignedToken,
  verificationKey,
} from './signed-token.ts';
import { withoutArgument } from './without-argument.ts';

interface JwtAuth {
  readonly header: string;
  readonly query: string;
  readonly cookie: string;
  readonly hide_credentials: boolean;
  readonly key_claim_name: string;
  readonly store_in_ctx: boolean;
  readonly realm: string;
  readonly anonymous_consumer?: string;
  readonly claims_to_verify?: readonly ('exp' | 'nbf')[];
}

interface JwtCredential {
  readonly secret?: string;
  readonly public_key?: string;
  readonly algorithm: string;
  readonly base64_secret: boolean;
  readonly lifetime_grace_period: number;
}

/** The claims of the token, for plugins that come after; kept when `store_in_ctx` says so. */
export const JWT_PAYLOAD: unique symbol = Symbol('jwt payload');

/** Asks for a JSON Web Token that a consumer's key has signed. */
export const jwtAuth = definePlugin<JwtAuth>({
  name: 'jwt-auth',
  priority: 2510,
  summary: "Asks for a JSON Web Token signed with a consumer's key.",
  example: { header: 'Authorization', claims_to_verify: ['exp'] },
  notes: [
    'Tokens are verified, not made: there is no endpoint that signs.',
    'A secret must be given for HS256, HS384 and HS512; none is made up.',
  ],
  isAuth: true,
  secretFields: ['secret'],
  schema: {
    type: 'object',
    title: 'work with route or service object',
    properties: {
      header: { type: 'string', default: 'authorization' },
      query: { type: 'string', default: 'jwt' },
      cookie: { type: 'string', default: 'jwt' },
      hide_credentials: { type: 'boolean', default: false },
      key_claim_name: { type: 'string', default: 'key', minLength: 1 },
      store_in_ctx: { type: 'boolean', default: false },
      realm: { type: 'string', default: 'jwt' },
      anonymous_consumer: ANONYMOUS_CONSUMER,
      claims_to_verify: {
        type: 'array',
        items: { type: 'string', enum: ['exp', 'nbf'] },
        uniqueItems: true,
      },
    },
  },
  consumerSchema: {
    type: 'object',
    title: 'work with consumer object',
    properties: {
      key: { type: 'string', minLength: 1 },
      secret: { type: 'string', minLength: 1 },
      public_key: { type: 'string' },
      algorithm: {
        type: 'string',
        enum: [...SECRET_ALGORITHMS, ...KEY_ALGORITHMS],
        default: 'HS256',
      },
      exp: { type: 'integer', minimum: 1, default: 86_400 },
      base64_secret: { type: 'boolean', default: false },
      lifetime_grace_period: { type: 'integer', minimum: 0, default: 0 },
    },
    dependencies: {
      algorithm: {
        oneOf: [
          { properties: { algorithm: { enum: SECRET_ALGORITHMS } } },
          {
            properties: {
              public_key: { type: 'string' },
              algorithm: { enum: KEY_ALGORITHMS },
            },
            required: ['public_key'],
          },
        ],
      },
    },
    required: ['key'],
  },
  checkConsumer(conf) {
    const { algorithm, secret, base64_secret, public_key } = credentialOf(conf);
    if (KEY_ALGORITHMS.includes(algorithm)) {
      const isReference = public_key?.startsWith('$') === true;
      const isKey = verificationKey(algorithm, public_key ?? '') !== undefined;
      return isKey || isReference ? undefined : 'property "public_key" is not a public key in PEM';
    }
    if (secret === undefined) return `property "secret" is required for algorithm ${algorithm}`;
    if (base64_secret && !secret.startsWith('$') && !isStrictBase64(secret)) {
      return 'base64_secret required but the secret is not in base64 format';
    }
    return undefined;
  },
  create(conf, { consumers, now }) {
    const { hide_credentials, anonymous_consumer, claims_to_verify = [] } = conf;
    const challenge = { 'WWW-Authenticate': `Bearer realm="${conf.realm}"` };
    const keys = new WeakMap<Credential, KeyObject | Buffer>();

    /** The credential that signed the token; text says why there is none. */
    function identify(text: string | undefined): Credential | string {
      if (text === undefined) return 'Missing JWT token in request';
      const token = parseSignedToken(text);
      if (token === undefined) return 'JWT token invalid';
      const name = token.claims[conf.key_claim_name];
      if (typeof name !== 'string' || name === '') return 'missing user key in JWT token';
      const credential = consumers.find('jwt-auth', 'key', name);
      if (credential === undefined) return 'Invalid user key in JWT token';
      return isBelieved(token, credential) ? credential : 'failed to verify jwt';
    }

    function isBelieved(token: SignedToken, credential: Credential): boolean {
      const { algorithm, lifetime_grace_period: graceS } = credentialOf(credential.conf);
      const key = keys.get(credential) ?? keyOf(credential.conf);
      if (key === undefined) return false;
      keys.set(credential, key);
      const hasClaims = claims_to_verify.every((claim) => typeof token.claims[claim] === 'number');
      if (!hasClaims || !isSignedWith(token, algorithm, key)) return false;
      // Asked for one of the two, APISIX looks at that one alone.
      const claims =
        claims_to_verify.length === 0
          ? token.claims
          : Object.fromEntries(claims_to_verify.map((claim) => [claim, token.claims[claim]]));
      return isInTime({ ...token, claims }, { nowS: now() / 1_000, graceS });
    }

    return {
      rewrite(context) {
        const found = tokenOf(context, conf);
        const credential = identify(found?.text);
        if (found !== undefined && hide_credentials) found.hide();
        if (typeof credential !== 'string') {
          if (conf.store_in_ctx && found !== undefined) {
            context.setSlot(JWT_PAYLOAD, parseSignedToken(found.text)?.claims);
          }
          context.attachConsumer(credential);
          return undefined;
        }
        if (anonymous_consumer !== undefined) {
          return anonymous(context, consumers, anonymous_consumer, challenge);
        }
        return messageAnswer(401, credential, challenge);
      },
    };
  },
});

/** What a consumer holds, with the defaults of its schema. */
function credentialOf(conf: PluginConf): JwtCredential {
  // Checked edge: the consumer schema has accepted it.
  const given = conf as Partial<JwtCredential>;
  return { algorithm: 'HS256', base64_secret: false, lifetime_grace_period: 0, ...given };
}

function keyOf(conf: PluginConf): KeyObject | Buffer | undefined {
  const { algorithm, secret, public_key, base64_secret } = credentialOf(conf);
  if (KEY_ALGORITHMS.includes(algorithm)) return verificationKey(algorithm, public_key ?? '');
  if (secret === undefined) return undefined;
  return base64_secret ? Buffer.from(secret, 'base64') : verificationKey(algorithm, secret);
}

interface FoundToken {
  readonly text: string;
  /** Takes it out of what the upstream gets. */
  hide(): void;
}

/** In the header, else in the query, else in the cookie. */
function tokenOf(context: RequestContext, conf: JwtAuth): FoundToken | undefined {
  const field = context.headers.get(conf.header.toLowerCase());
  if (field !== undefined) {
    const text = field.replace(/^bearer +/i, '');
    return { text, hide: () => context.headers.remove(conf.header) };
  }
  const argument = context.argument(conf.query);
  if (argument !== undefined) {
    return {
      text: argument,
      hide() {
        context.query = withoutArgument(context.query, conf.query);
      },
    };
  }
  const cookie = context.cookie(conf.cookie);
  if (cookie === undefined) return undefined;
  return { text: cookie, hide: () => hideCookie(context, conf.cookie) };
}

function hideCookie({ headers }: RequestContext, name: string): void {
  const kept = headers
    .all('cookie')
    .flatMap((field) => field.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && pair.split('=')[0]?.trim() !== name);
  if (kept.length === 0) headers.remove('cookie');
  else headers.set('Cookie', kept.join('; '));
}
