import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInTime, isSignedWith, parseSignedToken, verificationKey } from './signed-token.ts';

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const head = (algorithm: string) => `${encoded({ alg: algorithm })}.${encoded({ key: 'k' })}`;

function tokenBy(algorithm: string, key: KeyObject, options: object, hash: string | null) {
  const signed = head(algorithm);
  const signature = sign(hash, Buffer.from(signed), { key, ...options });
  return parseSignedToken(`${signed}.${signature.toString('base64url')}`);
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const P1363 = { dsaEncoding: 'ieee-p1363' };

test.each([
  { algorithm: 'RS256', pair: rsa, options: {}, hash: 'sha256' },
  { algorithm: 'PS512', pair: rsa, options: { padding: 6, saltLength: -1 }, hash: 'sha512' },
  { algorithm: 'ES256', pair: ec, options: P1363, hash: 'sha256' },
  { algorithm: 'EdDSA', pair: ed, options: {}, hash: null },
])('$algorithm is verified by its own key alone', ({ algorithm, pair, options, hash }) => {
  const token = tokenBy(algorithm, pair.privateKey, options, hash);
  if (token === undefined) throw new Error('no token');
  const answers = [rsa, ec, ed].map(({ publicKey }) => isSignedWith(token, algorithm, publicKey));
  expect(answers).toEqual([rsa, ec, ed].map((one) => one === pair));
});

test('a public key is never taken for the secret of an HMAC', () => {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const signed = head('HS256');
  const forged = createHmac('sha256', pem).update(signed).digest('base64url');
  const token = parseSignedToken(`${signed}.${forged}`);
  const key = verificationKey('RS256', pem);
  if (token === undefined || key === undefined) throw new Error('no token or key');
  expect(isSignedWith(token, 'RS256', key)).toBe(false);
  expect(isSignedWith(token, 'HS256', key)).toBe(false);
});

test('a token without signature is refused', () => {
  const token = parseSignedToken(`${head('none')}.`);
  if (token === undefined) throw new Error('no token');
  expect(isSignedWith(token, 'none', Buffer.from(''))).toBe(false);
  expect(isSignedWith(token, 'HS256', Buffer.from('secret'))).toBe(false);
});

test.each([
  { claims: {}, isOk: true },
  { claims: { exp: 101 }, isOk: true },
  { claims: { exp: 95 }, isOk: true },
  { claims: { exp: 90 }, isOk: false },
  { claims: { nbf: 110 }, isOk: true },
  { claims: { nbf: 111 }, isOk: false },
  { claims: { exp: '999' }, isOk: false },
])('at 100 s with 10 s of grace $claims is $isOk', ({ claims, isOk }) => {
  const token = { algorithm: 'HS256', signed: '', signature: Buffer.alloc(0), claims };
  expect(isInTime(token, { nowS: 100, graceS: 10 })).toBe(isOk);
});

test('nothing that looks like a token throws', () => {
  const part = fc.oneof(fc.string(), fc.base64String(), fc.json().map(encoded));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const token = parseSignedToken(parts.join('.'));
      if (token !== undefined) isSignedWith(token, token.algorithm, Buffer.from('secret'));
    }),
    { seed: 21, numRuns: 500 },
  );
});
