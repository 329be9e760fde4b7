import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { createValidator, pluginViolation } from '../../admin/validator.ts';
import type { PluginConf } from '../../core/objects.ts';
import { onBench, request } from '../testing/plugin-bench.ts';
import { openidConnect } from './openid-connect.ts';

const NOW_MS = 1_800_000_000_000;
const NOW_S = NOW_MS / 1_000;
const RSA = await generateKeyPair('RS256', { extractable: true });
const OTHER = await generateKeyPair('RS256', { extractable: true });

/** A provider on loopback: publishes `keys`, answers introspection with `active`, counts by path. */
async function provider() {
  const asked: { path: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const state = {
    keys: [{ ...(await exportJWK(RSA.publicKey)), kid: 'one', alg: 'RS256' }] as unknown[],
    introspection: { active: true, sub: 'jack', exp: NOW_S + 60 } as unknown,
    isDown: false,
  };
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (bytes: Buffer) => (body += bytes.toString()));
    incoming.on('end', () => {
      const path = incoming.url ?? '';
      asked.push({ path, headers: incoming.headers, body });
      if (state.isDown) {
        response.writeHead(500).end();
        return;
      }
      const answers: Readonly<Record<string, unknown>> = {
        '/discovery': {
          issuer: origin,
          jwks_uri: `${origin}/keys`,
          introspection_endpoint: `${origin}/introspect`,
        },
        '/keys': { keys: state.keys },
        '/introspect': state.introspection,
      };
      response.end(JSON.stringify(answers[path]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const conf = {
    client_id: 'gateway',
    client_secret: 's:cret',
    discovery: `${origin}/discovery`,
    bearer_only: true,
  };
  const count = (path: string) => asked.filter((one) => one.path === path).length;
  return { origin, conf, state, asked, count };
}

function token(
  claims: JWTPayload,
  { key = RSA.privateKey as Parameters<SignJWT['sign']>[0], alg = 'RS256', kid = 'one' } = {},
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(key);
}

/** The plugin with a clock that the test moves. */
function plugin(conf: PluginConf) {
  const clock = { ms: NOW_MS };
  const { handlers, warnings } = onBench(openidConnect, conf, { now: () => clock.ms });
  onTestFinished(() => void handlers.close?.());
  const send = async (text: string | undefined, more: Readonly<Record<string, string>> = {}) => {
    const headers = text === undefined ? more : { Authorization: `Bearer ${text}`, ...more };
    const context = request({ headers });
    const answer = await handlers.rewrite?.(context);
    return { status: answer?.status, answer, context };
  };
  return { send, clock, warnings };
}

test("a token that one of the provider's keys has signed is let in, whatever its algorithm", async () => {
  const { origin, conf, state, count } = await provider();
  const { send } = plugin({ ...conf, use_jwks: true });
  for (const alg of ['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA']) {
    const pair = await generateKeyPair(alg, { extractable: true });
    state.keys.push({ ...(await exportJWK(pair.publicKey)), kid: alg, alg });
  }
  const good = await token({ iss: origin, sub: 'jack' });
  const { status, context } = await send(good, { 'X-Userinfo': 'root' });
  expect(status).toBeUndefined();
  expect(context.headers.get('x-access-token')).toBe(good);
  // Nobody may say of himself who he is.
  expect(context.headers.has('x-userinfo')).toBe(false);
  for (const alg of ['PS384', 'ES256', 'ES512', 'EdDSA']) {
    const pair = await generateKeyPair(alg, { extractable: true });
    state.keys = [{ ...(await exportJWK(pair.publicKey)), kid: `new ${alg}`, alg }];
    const fresh = plugin({ ...conf, use_jwks: true });
    const signed = await token({ iss: origin }, { key: pair.privateKey, alg, kid: `new ${alg}` });
    expect([alg, (await fresh.send(signed)).status]).toEqual([alg, undefined]);
  }
  expect(count('/discovery')).toBe(5);
});

test.each([
  { name: 'is expired', claims: { exp: NOW_S - 200 } },
  { name: 'is not valid yet', claims: { nbf: NOW_S + 200 } },
  { name: 'is of another issuer', claims: { iss: 'http://elsewhere' } },
  { name: 'names no issuer', claims: { iss: undefined } },
])('a token that $name is refused with 401 and its reason', async ({ claims }) => {
  const { origin, conf } = await provider();
  const { send } = plugin({ ...conf, use_jwks: true });
  const { status, answer } = await send(await token({ iss: origin, ...claims } as JWTPayload));
  expect(status).toBe(401);
  expect(answer?.headers?.['WWW-Authenticate']).toMatch(
    /^Bearer realm="apisix", error="invalid_token", error_description="[^"]+"$/,
  );
});

test('clocks may differ by iat_slack', async () => {
  const { origin, conf } = await provider();
  const late = await token({ iss: origin, exp: NOW_S - 100 });
  expect((await plugin({ ...conf, use_jwks: true }).send(late)).status).toBeUndefined();
  expect((await plugin({ ...conf, use_jwks: true, iat_slack: 10 }).send(late)).status).toBe(401);
});

test('a token never chooses how it is verified', async () => {
  const { origin, conf } = await provider();
  const claims = { iss: origin };
  const pem = await exportSPKI(RSA.publicKey);
  const bySecret = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .sign(Buffer.from(pem));
  const sha512 = await importJWK(await exportJWK(RSA.privateKey), 'RS512');
  const tokens = {
    unsigned: new UnsecuredJWT(claims).encode(),
    'signed with the public key as a secret': bySecret,
    'signed by another key under the same name': await token(claims, { key: OTHER.privateKey }),
    'of another algorithm than expected': await token(claims, { key: sha512, alg: 'RS512' }),
    'no token': 'a.b.c',
    'two words': 'a b',
    'too long': `${'a'.repeat(20_000)}.b.c`,
  };
  for (const way of [{ use_jwks: true }, { public_key: pem }]) {
    const { send } = plugin({ ...conf, ...way, token_signing_alg_values_expected: 'RS256' });
    for (const [name, text] of Object.entries(tokens)) {
      expect([name, (await send(text)).status]).toEqual([name, 401]);
    }
    expect((await send(await token(claims))).status).toBeUndefined();
  }
});

test('keys that have changed are fetched again, once for all who wait, and not more often', async () => {
  const { origin, conf, state, count } = await provider();
  const { send, clock } = plugin({ ...conf, use_jwks: true });
  const old = await token({ iss: origin });
  const fresh = await token({ iss: origin }, { key: OTHER.privateKey, kid: 'two' });
  await Promise.all([send(old), send(old), send(old)]);
  expect(count('/keys')).toBe(1);
  state.keys = [{ ...(await exportJWK(OTHER.publicKey)), kid: 'two', alg: 'RS256' }];
  // Made-up key ids cannot make the gateway ask all the time.
  expect((await send(fresh)).status).toBe(401);
  expect(count('/keys')).toBe(1);
  clock.ms += 31_000;
  const answers = await Promise.all([send(fresh), send(fresh), send(fresh)]);
  expect(answers.map(({ status }) => status)).toEqual([undefined, undefined, undefined]);
  expect(count('/keys')).toBe(2);
  expect((await send(old)).status).toBe(401);
});

test('a provider that is away is 503 for the first token, and no matter once its keys are known', async () => {
  const { origin, conf, state } = await provider();
  const { send, clock, warnings } = plugin({ ...conf, use_jwks: true, jwk_expires_in: 10 });
  const good = await token({ iss: origin });
  state.isDown = true;
  expect((await send(good)).status).toBe(503);
  expect(warnings.join()).toContain('/discovery answered 500');
  state.isDown = false;
  clock.ms += 2_000;
  expect((await send(good)).status).toBeUndefined();
  state.isDown = true;
  clock.ms += 20_000;
  expect((await send(good)).status).toBeUndefined();
});

test.each([
  { claims: { aud: 'gateway', scope: 'read write' }, want: undefined },
  { claims: { aud: ['other', 'gateway'], scope: ['read'] }, want: undefined },
  { claims: { scope: 'read' }, want: 'required audience claim not present' },
  { claims: { aud: 'other', scope: 'read' }, want: 'mismatched audience' },
  { claims: { aud: 'gateway', scope: 'reads' }, want: 'required scopes read not present' },
  { claims: { aud: 'gateway' }, want: 'required scopes read not present' },
])('claims $claims are answered $want', async ({ claims, want }) => {
  const { origin, conf } = await provider();
  const { send } = plugin({
    ...conf,
    use_jwks: true,
    required_scopes: ['read'],
    claim_validator: { audience: { match_with_client_id: true } },
  });
  const { answer } = await send(await token({ iss: origin, ...claims }));
  expect(answer).toEqual(want === undefined ? undefined : { status: 403, body: { error: want } });
});

test('claims must satisfy the schema that is given', async () => {
  const { origin, conf } = await provider();
  const claim_schema = { required: ['tenant'], properties: { tenant: { enum: ['a'] } } };
  const { send } = plugin({ ...conf, use_jwks: true, claim_schema });
  const status = async (tenant: string) =>
    (await send(await token({ iss: origin, tenant }))).status;
  expect([await status('a'), await status('b')]).toEqual([undefined, 401]);
});

test('introspection asks with the client secret, tells the upstream, and keeps the answer until exp', async () => {
  const { conf, state, asked, count } = await provider();
  const { send, clock } = plugin(conf);
  const { status, context } = await send('opaque');
  expect(status).toBeUndefined();
  expect(asked.at(-1)).toMatchObject({
    body: 'token=opaque',
    headers: { authorization: `Basic ${Buffer.from('gateway:s%3Acret').toString('base64')}` },
  });
  const userinfo = Buffer.from(context.headers.get('x-userinfo') ?? '', 'base64').toString();
  expect(JSON.parse(userinfo)).toEqual(state.introspection);
  await send('opaque');
  expect(count('/introspect')).toBe(1);
  state.introspection = { active: false };
  clock.ms += 61_000;
  expect((await send('opaque')).status).toBe(401);
  expect(count('/introspect')).toBe(2);
});

test('an answer of introspection is believed for introspection_interval at most', async () => {
  const { conf, state } = await provider();
  const { send, clock } = plugin({
    ...conf,
    introspection_interval: 5,
    introspection_endpoint_auth_method: 'client_secret_post',
  });
  expect((await send('opaque')).status).toBeUndefined();
  state.introspection = { active: false };
  clock.ms += 6_000;
  expect((await send('opaque')).status).toBe(401);
});

test.each([
  { headers: {}, conf: {}, want: 401 },
  { headers: { Authorization: 'Basic abc' }, conf: {}, want: 401 },
  { headers: { Authorization: 'Bearer' }, conf: {}, want: 400 },
  { headers: {}, conf: { bearer_only: false, unauth_action: 'deny' }, want: 401 },
  { headers: {}, conf: { bearer_only: false, unauth_action: 'pass' }, want: undefined },
])('without a token ($headers, $conf) the answer is $want', async ({ headers, conf, want }) => {
  const { conf: base } = await provider();
  const { send } = plugin({ ...base, ...conf });
  expect((await send(undefined, headers)).status).toBe(want);
});

test.each([
  { conf: { bearer_only: false }, want: /set bearer_only to true/ },
  { conf: { public_key: 'nonsense' }, want: /not a public key/ },
  { conf: { discovery: 'id.example.com' }, want: /failed to match pattern/ },
  { conf: { token_signing_alg_values_expected: 'HS256' }, want: /matches none/ },
  { conf: { claim_schema: { type: 'nonsense' } }, want: /invalid JSON type/ },
  { conf: {}, want: undefined },
])('the configuration $conf is answered $want', ({ conf, want }) => {
  const validator = createValidator();
  const given = {
    client_id: 'a',
    client_secret: 'b',
    discovery: 'http://127.0.0.1/discovery',
    bearer_only: true,
    ...conf,
  };
  const checks = { validator, findPlugin: () => undefined, attributes: {} };
  const found = pluginViolation(checks, openidConnect, openidConnect.schema, given);
  if (want === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(want);
});
