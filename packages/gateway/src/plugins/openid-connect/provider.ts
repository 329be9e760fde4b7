import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Outbound } from '../outbound.ts';

/** What the provider's discovery document says of itself. Source: OpenID Connect Discovery 1.0 §3. */
export interface Discovery {
  readonly issuer: string;
  readonly jwksUri: string | undefined;
  readonly introspectionEndpoint: string | undefined;
}

/** What was learned of one provider; outlives a change of the plugin's configuration. */
export interface ProviderMemory {
  discovery: Kept<Discovery>;
  keys: Kept<JWTVerifyGetKey>;
}

/** One thing that is asked for once, however many requests wait for it. */
interface Kept<Value> {
  value: Value | undefined;
  fetchedMs: number;
  failedMs: number;
  failure: Error | undefined;
  asking: Promise<Value | Error> | undefined;
}

/** The provider of one configuration. Errors say what could not be had; nothing here rejects. */
export interface Provider {
  discovery(): Promise<Discovery | Error>;
  /** The provider's keys. `isUnknown`: none of those at hand has signed; they may have changed. */
  keys(isUnknown: boolean): Promise<JWTVerifyGetKey | Error>;
}

/** A provider that does not answer is asked again after this, and changed keys are looked for. */
const COOLDOWN_MS = 30_000;
const FAILURE_MS = 1_000;
const DISCOVERY_MS = 86_400_000;

export function createProviderMemory(): ProviderMemory {
  return { discovery: nothingKept(), keys: nothingKept() };
}

function nothingKept<Value>(): Kept<Value> {
  const never = Number.NEGATIVE_INFINITY;
  return {
    value: undefined,
    fetchedMs: never,
    failedMs: never,
    failure: undefined,
    asking: undefined,
  };
}

export function createProvider(
  memory: ProviderMemory,
  given: {
    readonly url: string;
    readonly keysMs: number;
    readonly service: Outbound;
    now(): number;
  },
): Provider {
  const { url, service, keysMs, now } = given;

  async function discovery(): Promise<Discovery | Error> {
    return kept(memory.discovery, { now, ageMs: DISCOVERY_MS, ask: askDiscovery });
  }

  async function askDiscovery(): Promise<Discovery | Error> {
    const document = await json(url);
    if (document instanceof Error) return document;
    const { issuer } = document;
    if (typeof issuer !== 'string') return new Error(`${url}: no issuer`);
    return {
      issuer,
      jwksUri: text(document['jwks_uri']),
      introspectionEndpoint: text(document['introspection_endpoint']),
    };
  }

  async function askKeys(): Promise<JWTVerifyGetKey | Error> {
    const about = await discovery();
    if (about instanceof Error) return about;
    if (about.jwksUri === undefined) return new Error(`${url}: no jwks_uri`);
    const set = await json(about.jwksUri);
    if (set instanceof Error) return set;
    try {
      // Checked edge: the library looks at the shape, and throws.
      return createLocalJWKSet(set as unknown as JSONWebKeySet);
    } catch (error) {
      return new Error(`${about.jwksUri}: no JSON Web Key Set`, { cause: error });
    }
  }

  async function json(from: string): Promise<Readonly<Record<string, unknown>> | Error> {
    const headers = { accept: 'application/json' };
    const answer = await service.ask({ url: from, method: 'GET', headers });
    if (answer instanceof Error) return new Error(`${from}: ${answer.message}`, { cause: answer });
    if (answer.status !== 200) return new Error(`${from} answered ${answer.status}`);
    return jsonObject(answer.body) ?? new Error(`${from}: no object of JSON`);
  }

  return {
    discovery,
    keys: (isUnknown) =>
      kept(memory.keys, { now, ageMs: isUnknown ? COOLDOWN_MS : keysMs, ask: askKeys }),
  };
}

/** The value if it is younger than `ageMs`, else asked for. An old one is better than none. */
async function kept<Value extends object>(
  one: Kept<Value>,
  given: { readonly ageMs: number; now(): number; ask(): Promise<Value | Error> },
): Promise<Value | Error> {
  const { now, ageMs, ask } = given;
  if (one.value !== undefined && now() - one.fetchedMs < ageMs) return one.value;
  if (now() - one.failedMs < FAILURE_MS) return one.value ?? one.failure ?? new Error('no answer');
  one.asking ??= ask().then((answer) => {
    one.asking = undefined;
    if (answer instanceof Error) {
      one.failedMs = now();
      one.failure = answer;
      return one.value ?? answer;
    }
    one.value = answer;
    one.fetchedMs = now();
    return answer;
  });
  return one.asking;
}

/** Undefined when the octets are no object of JSON. */
export function jsonObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // Checked edge: just now.
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && URL.canParse(value) ? value : undefined;
}
