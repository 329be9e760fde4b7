import { createHash, randomInt } from 'node:crypto';
import type { Answer } from '../core/answer.ts';
import { isSameSecret } from './constant-time.ts';
import { definePlugin } from './plugin.ts';

interface Csrf {
  readonly key: string;
  readonly expires: number;
  readonly name: string;
}

interface Token {
  readonly random: number;
  /** Unix seconds at which it was made; the name is APISIX's. */
  readonly expires: number;
  readonly sign: string;
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Asks unsafe requests for a token in cookie and header alike, which only pages of ours can send. */
export const csrf = definePlugin<Csrf>({
  name: 'csrf',
  priority: 2980,
  summary: 'Asks for one token in cookie and header (double submit), against forged requests.',
  example: { key: 'a-long-random-text', expires: 3600 },
  secretFields: ['key'],
  schema: {
    type: 'object',
    properties: {
      key: { type: 'string', minLength: 1 },
      expires: {
        type: 'integer',
        default: 7200,
        minimum: 0,
        description: 'seconds; 0: tokens do not expire',
      },
      name: { type: 'string', default: 'apisix-csrf-token' },
    },
    required: ['key'],
  },
  create({ key, expires, name }, { now }) {
    function isValid(text: string): boolean {
      const token = parseToken(text);
      if (token === undefined) return false;
      const ageS = now() / 1_000 - token.expires;
      if (expires > 0 && ageS > expires) return false;
      return isSameSecret(token.sign, signature(token, key));
    }

    return {
      access(context) {
        if (SAFE_METHODS.has(context.method)) return undefined;
        const field = context.headers.get(name.toLowerCase());
        if (!field) return refusal('no csrf token in headers');
        const cookie = context.cookie(name);
        if (!cookie) return refusal('no csrf cookie');
        if (!isSameSecret(field, cookie)) return refusal('csrf token mismatch');
        return isValid(cookie) ? undefined : refusal('Failed to verify the csrf token signature');
      },
      header_filter({ response }) {
        const nowS = Math.floor(now() / 1_000);
        // 14 digits: what a Lua number shows, so that both sides sign the same text.
        const random = randomInt(1, 2 ** 47) / 1e14;
        const unsigned = { random, expires: nowS };
        const token = { ...unsigned, sign: signature(unsigned, key) };
        const value = Buffer.from(JSON.stringify(token)).toString('base64');
        const until = new Date((nowS + expires) * 1_000).toUTCString();
        const end = expires > 0 ? `;Expires=${until}` : '';
        response?.fields.add('Set-Cookie', `${name}=${value};path=/;SameSite=Lax${end}`);
      },
    };
  },
});

function refusal(why: string): Answer {
  return { status: 401, body: { error_msg: why } };
}

function signature({ random, expires }: Pick<Token, 'random' | 'expires'>, key: string): string {
  const text = `{expires:${expires},random:${random},key:${key}}`;
  return createHash('sha256').update(text).digest('hex');
}

function parseToken(text: string): Token | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64').toString());
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { random, expires, sign } = value as Readonly<Record<string, unknown>>;
  const isToken =
    typeof random === 'number' && typeof expires === 'number' && typeof sign === 'string';
  return isToken ? { random, expires, sign } : undefined;
}
