import {
  constants,
  createHmac,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto';

/** A token of more characters is no token. */
const TOKEN_SIZE_MAX = 16_384;

/** A JSON Web Token in compact form, taken apart and not yet believed. Source: RFC 7515 §7.1. */
export interface SignedToken {
  readonly algorithm: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What was signed, as octets of ASCII. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** Undefined when the text is no token of three parts with objects of JSON in the first two. */
export function parseSignedToken(text: string): SignedToken | undefined {
  if (text.length > TOKEN_SIZE_MAX) return undefined;
  const match = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/.exec(text);
  if (match === null) return undefined;
  const [, head = '', body = '', tail = ''] = match;
  const header = jsonObject(head);
  const claims = jsonObject(body);
  const algorithm = header?.['alg'];
  if (claims === undefined || typeof algorithm !== 'string') return undefined;
  // An extension that must be understood is not (RFC 7515 §4.1.11).
  if (header?.['crit'] !== undefined) return undefined;
  const signature = Buffer.from(tail, 'base64url');
  return { algorithm, claims, signed: `${head}.${body}`, signature };
}

function jsonObject(encoded: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString());
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // Checked edge: just now.
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** How each algorithm of RFC 7518 §3.1 and RFC 8037 verifies; `none` is not one of them. */
const ALGORITHMS: Readonly<Record<string, { readonly hash: string | null; readonly kind: Kind }>> =
  {
    HS256: { hash: 'sha256', kind: 'hmac' },
    HS384: { hash: 'sha384', kind: 'hmac' },
    HS512: { hash: 'sha512', kind: 'hmac' },
    RS256: { hash: 'sha256', kind: 'rsa' },
    RS384: { hash: 'sha384', kind: 'rsa' },
    RS512: { hash: 'sha512', kind: 'rsa' },
    PS256: { hash: 'sha256', kind: 'rsa-pss' },
    PS384: { hash: 'sha384', kind: 'rsa-pss' },
    PS512: { hash: 'sha512', kind: 'rsa-pss' },
    ES256: { hash: 'sha256', kind: 'ec' },
    ES384: { hash: 'sha384', kind: 'ec' },
    ES512: { hash: 'sha512', kind: 'ec' },
    EdDSA: { hash: null, kind: 'ed' },
  };

type Kind = 'hmac' | 'rsa' | 'rsa-pss' | 'ec' | 'ed';

export const SECRET_ALGORITHMS: readonly string[] = ['HS256', 'HS384', 'HS512'];
export const KEY_ALGORITHMS: readonly string[] = Object.keys(ALGORITHMS).filter(
  (name) => !SECRET_ALGORITHMS.includes(name),
);

/** A secret, or a public key in PEM; undefined when the text is no key. */
export function verificationKey(algorithm: string, text: string): KeyObject | Buffer | undefined {
  if (SECRET_ALGORITHMS.includes(algorithm)) return Buffer.from(text);
  try {
    return createPublicKey(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether the token bears the signature of `key` under `algorithm`, which must be the token's own:
 * the token never chooses how it is verified. Synchronous, so that a request on the hot path does
 * not wait for a thread.
 */
export function isSignedWith(
  { algorithm: own, signed, signature }: SignedToken,
  algorithm: string,
  key: KeyObject | Buffer,
): boolean {
  const how = ALGORITHMS[algorithm];
  if (how === undefined || own !== algorithm) return false;
  const data = Buffer.from(signed);
  if (how.kind === 'hmac') {
    if (!Buffer.isBuffer(key)) return false;
    const expected = createHmac(how.hash ?? '', key)
      .update(data)
      .digest();
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }
  if (Buffer.isBuffer(key) || !fits(how.kind, key)) return false;
  try {
    return verify(how.hash, data, { key, ...OPTIONS[how.kind] }, signature);
  } catch {
    // A key too short for the digest, say: nothing can be signed with it.
    return false;
  }
}

function fits(kind: Kind, { asymmetricKeyType: type }: KeyObject): boolean {
  if (kind === 'ec') return type === 'ec';
  if (kind === 'ed') return type === 'ed25519' || type === 'ed448';
  return type === 'rsa' || (kind === 'rsa-pss' && type === 'rsa-pss');
}

const OPTIONS: Readonly<Record<Kind, object>> = {
  hmac: {},
  rsa: { padding: constants.RSA_PKCS1_PADDING },
  'rsa-pss': {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  },
  ec: { dsaEncoding: 'ieee-p1363' },
  ed: {},
};

/** Whether `exp` and `nbf` admit `nowS`; a claim that is there must be a number. Both in seconds. */
export function isInTime(
  { claims }: SignedToken,
  { nowS, graceS }: { readonly nowS: number; readonly graceS: number },
): boolean {
  const { exp, nbf } = claims as { readonly exp?: unknown; readonly nbf?: unknown };
  if (exp !== undefined && !(typeof exp === 'number' && nowS < exp + graceS)) return false;
  return nbf === undefined || (typeof nbf === 'number' && nowS >= nbf - graceS);
}
