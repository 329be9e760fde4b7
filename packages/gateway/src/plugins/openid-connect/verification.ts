import { createPublicKey } from 'node:crypto';
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Provider } from './provider.ts';
import { type OpenidConnect, SIGNING_ALGORITHMS } from './settings.ts';
import type { Verdict } from './verdict.ts';

/** A token of more characters is no token. */
const TOKEN_SIZE_MAX = 16_384;

/**
 * Verifies a signed token with the configured key or the provider's own keys: algorithm, signature,
 * `exp` and `nbf` where they are, `iss`. Without a way to know the issuer no token is believed.
 */
export function createVerification(
  conf: OpenidConnect,
  { provider, now }: { readonly provider: Provider; now(): number },
): (token: string) => Promise<Verdict> {
  const expected = conf.token_signing_alg_values_expected;
  const algorithms = expected === undefined ? [...SIGNING_ALGORITHMS] : [expected].flat();
  const fixed = conf.public_key === undefined ? undefined : createPublicKey(conf.public_key);
  const issuers = conf.claim_validator?.issuer?.valid_issuers;

  async function trustedIssuers(): Promise<readonly string[] | Error> {
    if (issuers !== undefined) return issuers;
    const about = await provider.discovery();
    return about instanceof Error ? about : [about.issuer];
  }

  async function verified(
    token: string,
    key: JWTVerifyGetKey,
    issuer: readonly string[],
  ): Promise<Verdict | 'unknown key'> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms,
        issuer: [...issuer],
        clockTolerance: conf.iat_slack,
        currentDate: new Date(now()),
      });
      return { kind: 'active', claims: payload, isUserinfo: false };
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return 'unknown key';
      return { kind: 'invalid', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  return async (token) => {
    if (token.length > TOKEN_SIZE_MAX) return { kind: 'invalid', reason: 'token too long' };
    const issuer = await trustedIssuers();
    if (issuer instanceof Error) return { kind: 'unknown', reason: issuer.message };
    for (const isUnknown of [false, true]) {
      const key = fixed === undefined ? await provider.keys(isUnknown) : () => fixed;
      if (key instanceof Error) return { kind: 'unknown', reason: key.message };
      const verdict = await verified(token, key, issuer);
      if (verdict !== 'unknown key') return verdict;
    }
    return { kind: 'invalid', reason: 'no key of the provider has signed the token' };
  };
}

/** Whether the text is a public key in PEM. */
export function isPublicKey(pem: string): boolean {
  try {
    createPublicKey(pem);
    return true;
  } catch {
    return false;
  }
}
