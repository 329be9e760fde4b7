import { createHash } from 'node:crypto';
import type { RequestContext } from '../../core/request-context.ts';
import type { Outbound } from '../outbound.ts';
import { jsonObject, type Provider } from './provider.ts';
import type { OpenidConnect } from './settings.ts';
import type { Verdict } from './verdict.ts';

/** Answers that are kept; the oldest goes first. About 1 KiB each. */
const ANSWERS_MAX = 10_000;

interface Known {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly untilMs: number;
}

/** Asks the provider whether a token is active. Source: RFC 7662. */
export function createIntrospection(
  conf: OpenidConnect,
  given: { readonly provider: Provider; readonly service: Outbound; now(): number },
): (context: RequestContext, token: string) => Promise<Verdict> {
  const { provider, service, now } = given;
  const known = new Map<string, Known>();

  function remembered(key: string): Known | undefined {
    const one = known.get(key);
    if (one === undefined || one.untilMs > now()) return one;
    known.delete(key);
    return undefined;
  }

  function remember(key: string, claims: Known['claims']): void {
    const expiry = claims[conf.introspection_expiry_claim];
    if (typeof expiry !== 'number') return;
    const intervalMs = conf.introspection_interval * 1_000;
    const lastMs = intervalMs === 0 ? Number.POSITIVE_INFINITY : now() + intervalMs;
    known.set(key, { claims, untilMs: Math.min(expiry * 1_000, lastMs) });
    const [oldest] = known.keys();
    if (known.size > ANSWERS_MAX && oldest !== undefined) known.delete(oldest);
  }

  async function endpoint(): Promise<string | Error> {
    if (conf.introspection_endpoint !== undefined) return conf.introspection_endpoint;
    const about = await provider.discovery();
    if (about instanceof Error) return about;
    return about.introspectionEndpoint ?? new Error('discovery names no introspection_endpoint');
  }

  return async (context, token) => {
    const key = createHash('sha256').update(token).digest('base64');
    const before = remembered(key);
    if (before !== undefined) return { kind: 'active', claims: before.claims, isUserinfo: true };
    const url = await endpoint();
    if (url instanceof Error) return { kind: 'unknown', reason: url.message };
    const answer = await service.ask({ url, method: 'POST', ...asked(conf, context, token) });
    if (answer instanceof Error) return { kind: 'unknown', reason: `${url}: ${answer.message}` };
    if (answer.status !== 200) {
      return { kind: 'unknown', reason: `${url} answered ${answer.status}` };
    }
    const claims = jsonObject(answer.body);
    if (claims === undefined) return { kind: 'unknown', reason: `${url}: no object of JSON` };
    if (claims['active'] !== true) return { kind: 'invalid', reason: 'invalid token' };
    remember(key, claims);
    return { kind: 'active', claims, isUserinfo: true };
  };
}

function asked(
  conf: OpenidConnect,
  { headers: given }: RequestContext,
  token: string,
): { readonly headers: Record<string, string>; readonly body: Buffer } {
  const form = new URLSearchParams({ token });
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  };
  for (const name of conf.introspection_addon_headers ?? []) {
    const value = given.joined(name.toLowerCase());
    if (value !== undefined) headers[name.toLowerCase()] ??= value;
  }
  if (conf.introspection_endpoint_auth_method === 'client_secret_post') {
    form.set('client_id', conf.client_id);
    form.set('client_secret', conf.client_secret);
  } else {
    // RFC 6749 §2.3.1: both are form-encoded before they are joined.
    const pair = [conf.client_id, conf.client_secret].map(encodeURIComponent).join(':');
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  return { headers, body: Buffer.from(form.toString()) };
}
