import { HOST } from '../core/network-schemas.ts';
import { messageAnswer } from '../core/request-context.ts';
import { hostName } from '../core/target.ts';
import { definePlugin } from './plugin.ts';

interface RefererRestriction {
  readonly bypass_missing: boolean;
  readonly whitelist?: readonly string[];
  readonly blacklist?: readonly string[];
  readonly message: string;
}

const HOSTS = { type: 'array', minItems: 1, items: HOST } as const;

/** Lets in or keeps out by the host of the Referer. */
export const refererRestriction = definePlugin<RefererRestriction>({
  name: 'referer-restriction',
  priority: 2990,
  summary: 'Lets in or keeps out by the host of Referer.',
  example: { bypass_missing: true, whitelist: ['xx.com', '*.xx.com'] },
  schema: {
    type: 'object',
    properties: {
      bypass_missing: { type: 'boolean', default: false },
      whitelist: HOSTS,
      blacklist: HOSTS,
      message: {
        type: 'string',
        minLength: 1,
        maxLength: 1024,
        default: 'Your referer host is not allowed',
      },
    },
    oneOf: [{ required: ['whitelist'] }, { required: ['blacklist'] }],
  },
  create({ bypass_missing, whitelist, blacklist, message }) {
    const isAllowing = whitelist !== undefined;
    const hosts = (whitelist ?? blacklist ?? []).map((host) => host.toLowerCase());
    const exact = new Set(hosts);
    const suffixes = hosts.filter((host) => host.startsWith('*')).map((host) => host.slice(1));
    const refusal = messageAnswer(403, message);
    return {
      access({ headers }) {
        const found = headers.all('referer').map(refererHost);
        const known = found.filter((host) => host !== undefined);
        const isMissing = known.length === 0 || known.length < found.length;
        if (isMissing && !bypass_missing) return refusal;
        // The upstream sees all of them: each must be let in, and none kept out.
        const isFine = known.every((host) => {
          const isListed = exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix));
          return isListed === isAllowing;
        });
        return isFine ? undefined : refusal;
      },
    };
  },
});

/** Undefined when there is none, or it is no absolute HTTP URL. */
function refererHost(referer: string): string | undefined {
  const authority = /^https?:\/\/(?:[^/?#@]*@)?([^/?#]+)/i.exec(referer)?.[1];
  return authority === undefined ? undefined : hostName(authority);
}
