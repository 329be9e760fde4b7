import { patternFault, patternsOf } from '../core/match/pattern.ts';
import { messageAnswer } from '../core/request-context.ts';
import { definePlugin } from './plugin.ts';

interface UaRestriction {
  readonly bypass_missing: boolean;
  readonly allowlist?: readonly string[];
  readonly denylist?: readonly string[];
  readonly message: string;
}

const PATTERNS = { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } } as const;

/** Lets in or keeps out by User-Agent. */
export const uaRestriction = definePlugin<UaRestriction>({
  name: 'ua-restriction',
  priority: 2999,
  summary: 'Lets in or keeps out by patterns over User-Agent.',
  example: { denylist: ['my-bot1', '(Baiduspider)/(\\d+)\\.(\\d+)'] },
  schema: {
    type: 'object',
    properties: {
      bypass_missing: { type: 'boolean', default: false },
      allowlist: PATTERNS,
      denylist: PATTERNS,
      message: { type: 'string', minLength: 1, maxLength: 1024, default: 'Not allowed' },
    },
    oneOf: [{ required: ['allowlist'] }, { required: ['denylist'] }],
  },
  check: ({ allowlist, denylist }) => patternFault(allowlist ?? denylist ?? []),
  create({ bypass_missing, allowlist, denylist, message }) {
    const isAllowing = allowlist !== undefined;
    const patterns = patternsOf(allowlist ?? denylist ?? []);
    const refusal = messageAnswer(403, message);
    return {
      access({ headers }) {
        const agents = headers.all('user-agent');
        if (agents.length === 0) return bypass_missing ? undefined : refusal;
        // The upstream sees all of them: each must be let in, and none kept out.
        const isFine = agents.every(
          (agent) => patterns.some((pattern) => pattern.test(agent)) === isAllowing,
        );
        return isFine ? undefined : refusal;
      },
    };
  },
});
