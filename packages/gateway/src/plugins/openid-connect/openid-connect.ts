import type { Answer } from '../../core/answer.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { compileGiven, givenFault, reasonOf } from '../given-schema.ts';
import { createOutbound } from '../outbound.ts';
import { definePlugin } from '../plugin.ts';
import { createIntrospection } from './introspection.ts';
import { createProvider, createProviderMemory } from './provider.ts';
import { type OpenidConnect, SETTINGS } from './settings.ts';
import { createVerification, isPublicKey } from './verification.ts';

/** Idle connections to the provider. */
const IDLE_MAX = 5;
const IDLE_MS = 60_000;

/** Headers that tell the upstream who calls: no client may write them itself. */
const OWN_HEADERS = ['X-Userinfo', 'X-ID-Token', 'X-Refresh-Token'];

/** Asks for a bearer token that an OpenID provider has issued. */
export const openidConnect = definePlugin<OpenidConnect>({
  name: 'openid-connect',
  priority: 2599,
  summary: 'Asks for a bearer token that an OpenID provider has issued.',
  example: {
    client_id: 'gateway',
    client_secret: 'secret',
    discovery: 'https://id.example.com/realms/main/.well-known/openid-configuration',
    bearer_only: true,
    use_jwks: true,
    required_scopes: ['orders:read'],
  },
  notes: [
    'Bearer tokens only: sign-in by redirect, with sessions and cookies, is refused when it is written. Set `bearer_only`, or `unauth_action` to `deny` or `pass`.',
    'A provider that cannot be asked makes the answer 503, where APISIX says 401: the token is not at fault.',
    'Only algorithms with a private key are taken: RS, PS and ES of 256, 384 and 512, and EdDSA.',
    'Keys are fetched again when a token names an unknown one, at most every 30 s; requests that wait for them share one fetch. Old ones serve on while the provider is away.',
    "`X-Userinfo`, `X-ID-Token` and `X-Refresh-Token` of the client's own are dropped.",
  ],
  secretFields: ['client_secret'],
  schema: SETTINGS,
  check(conf) {
    if (!conf.bearer_only && conf.unauth_action === 'auth') {
      return 'users are not sent to sign in: set bearer_only to true, or unauth_action to deny or pass';
    }
    const { public_key, claim_schema, discovery } = conf;
    if (!URL.canParse(discovery)) return `invalid url of discovery: ${discovery}`;
    if (public_key !== undefined && !isPublicKey(public_key)) {
      return 'property "public_key" is not a public key in PEM';
    }
    return claim_schema === undefined ? undefined : givenFault(claim_schema);
  },
  create(conf, { now, shared, warn }) {
    const service = createOutbound({
      timeoutMs: conf.timeout * 1_000,
      verifiesTls: conf.ssl_verify,
      keepAlive: true,
      keepAliveMs: IDLE_MS,
      idleMax: IDLE_MAX,
    });
    const provider = createProvider(shared(conf.discovery, createProviderMemory), {
      url: conf.discovery,
      keysMs: conf.jwk_expires_in * 1_000,
      service,
      now,
    });
    const hasKey = conf.public_key !== undefined || conf.use_jwks;
    const verify = hasKey ? createVerification(conf, { provider, now }) : undefined;
    const introspect = createIntrospection(conf, { provider, service, now });
    const claims = createClaimCheck(conf);

    async function known(context: RequestContext, token: string): Promise<Answer | undefined> {
      const verdict = await (verify?.(token) ?? introspect(context, token));
      if (verdict.kind === 'unknown') {
        warn(`a token cannot be verified: ${verdict.reason}`);
        return { status: 503, body: { message: 'the identity provider does not answer' } };
      }
      if (verdict.kind === 'invalid') return refused(conf, verdict.reason);
      const wrong = claims(verdict.claims);
      if (wrong !== undefined) return wrong;
      context.externalUser = verdict.claims;
      tell(context, conf, token, verdict.isUserinfo ? verdict.claims : undefined);
      return undefined;
    }

    return {
      rewrite(context) {
        const token = bearerToken(context);
        for (const name of OWN_HEADERS) context.headers.remove(name);
        if (token.kind === 'malformed') {
          return { status: 400, body: 'Invalid Authorization header format.' };
        }
        if (token.kind === 'token') return known(context, token.text);
        if (conf.bearer_only) {
          return {
            status: 401,
            headers: { 'WWW-Authenticate': `Bearer realm="${conf.realm}"` },
            body: 'No bearer token found in request.',
          };
        }
        return conf.unauth_action === 'pass' ? undefined : { status: 401 };
      },
      close: () => service.close(),
    };
  },
});

type BearerToken =
  | { readonly kind: 'token'; readonly text: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' };

/** Of `Authorization`, else of `X-Access-Token`. Two would be read one way here, another way there. */
function bearerToken({ headers }: RequestContext): BearerToken {
  const [given, ...more] = headers.all('authorization');
  if (given !== undefined) {
    const [, scheme, text] = /^(\S+) +(\S.*)$/.exec(given) ?? [];
    if (scheme === undefined || text === undefined || more.length > 0) return { kind: 'malformed' };
    if (scheme.toLowerCase() === 'bearer') return { kind: 'token', text };
  }
  const text = headers.get('x-access-token');
  return text === undefined || text === '' ? { kind: 'none' } : { kind: 'token', text };
}

/** Source: RFC 6750 §3. */
function refused({ realm }: OpenidConnect, reason: string): Answer {
  const description = reason.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?');
  return {
    status: 401,
    headers: {
      'WWW-Authenticate': `Bearer realm="${realm}", error="invalid_token", error_description="${description}"`,
    },
    body: reason,
  };
}

/** What claims must hold beside being signed; the answer where they do not. */
function createClaimCheck(
  conf: OpenidConnect,
): (claims: Readonly<Record<string, unknown>>) => Answer | undefined {
  const { required_scopes: required, claim_schema, client_id } = conf;
  const audience = conf.claim_validator?.audience;
  const schema = claim_schema === undefined ? undefined : compileGiven(claim_schema);
  const forbidden = (error: string): Answer => ({ status: 403, body: { error } });

  return (claims) => {
    if (audience !== undefined) {
      const named = claims[audience.claim];
      const isAsked = audience.required || audience.match_with_client_id;
      if (named === undefined && isAsked) return forbidden('required audience claim not present');
      if (audience.match_with_client_id && ![named].flat().includes(client_id)) {
        return forbidden('mismatched audience');
      }
    }
    if (required !== undefined) {
      const scopes = scopesOf(claims);
      if (!required.every((scope) => scopes.includes(scope))) {
        return forbidden(`required scopes ${required.join(', ')} not present`);
      }
    }
    if (schema === undefined || schema(structuredClone(claims))) return undefined;
    return refused(conf, reasonOf(schema));
  };
}

/** A text with blanks between (RFC 8693 §4.2), or a list, as some providers have it. */
function scopesOf({ scope, scp }: Readonly<Record<string, unknown>>): readonly string[] {
  return [scope ?? scp ?? ''].flat().flatMap((one) => String(one).split(' '));
}

/** Tells the upstream who calls. */
function tell(
  { headers }: RequestContext,
  conf: OpenidConnect,
  token: string,
  userinfo: Readonly<Record<string, unknown>> | undefined,
): void {
  if (conf.set_access_token_header) {
    if (conf.access_token_in_authorization_header) {
      headers.set('Authorization', `Bearer ${token}`);
    } else headers.set('X-Access-Token', token);
  }
  if (userinfo === undefined || !conf.set_userinfo_header) return;
  headers.set('X-Userinfo', Buffer.from(JSON.stringify(userinfo)).toString('base64'));
}
