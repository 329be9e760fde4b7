import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** A secret object of kind `vault`, as the Admin API takes it. */
export interface VaultObject {
  readonly uri: string;
  /** Path of the secrets engine. */
  readonly prefix: string;
  readonly token: string;
  readonly namespace?: string;
}

const TIMEOUT_MS = 5_000;
/** Vault's own bound for a secret is 1 MiB; JSON makes it longer. */
const ANSWER_BYTES_MAX = 4 << 20;

/**
 * One text of a secret in HashiCorp Vault, of version 1 or 2 of its KV engine. Undefined when the
 * secret has none of that name; rejects when Vault refuses or does not answer, and says so without
 * the token. Source: Vault's HTTP API, "KV secrets engine".
 */
export async function readVault(
  vault: VaultObject,
  path: string,
  name: string,
): Promise<string | undefined> {
  const url = new URL(`/v1/${vault.prefix}/${path}`, vault.uri);
  const { status, body } = await get(url, {
    'X-Vault-Token': vault.token,
    ...(vault.namespace === undefined ? {} : { 'X-Vault-Namespace': vault.namespace }),
  });
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`${url.host} answered ${status} for ${url.pathname}`);
  const data = memberOf(JSON.parse(body), 'data');
  const found = memberOf(data, name) ?? memberOf(memberOf(data, 'data'), name);
  return typeof found === 'string' ? found : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string }> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, timeout: TIMEOUT_MS, agent: false }, (answer) => {
      let body = '';
      answer.on('data', (bytes: Buffer) => {
        body += bytes.toString();
        if (body.length > ANSWER_BYTES_MAX) asked.destroy(new Error('the answer is too long'));
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    asked.on('error', reject);
    asked.end();
  });
}
