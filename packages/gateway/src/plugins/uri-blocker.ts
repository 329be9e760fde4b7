import { patternFault, patternsOf } from '../core/match/pattern.ts';
import { definePlugin } from './plugin.ts';

interface UriBlocker {
  readonly block_rules: readonly string[];
  readonly rejected_code: number;
  readonly rejected_msg?: string;
  readonly case_insensitive: boolean;
}

/** Keeps out by patterns over the URI. */
export const uriBlocker = definePlugin<UriBlocker>({
  name: 'uri-blocker',
  priority: 2900,
  summary: 'Keeps requests out whose path or query matches a pattern.',
  example: { block_rules: ['root.exe', 'root.m+'], rejected_msg: 'access is not allowed' },
  schema: {
    type: 'object',
    properties: {
      block_rules: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', minLength: 1, maxLength: 4096 },
      },
      rejected_code: { type: 'integer', minimum: 200, default: 403 },
      rejected_msg: { type: 'string', minLength: 1 },
      case_insensitive: { type: 'boolean', default: false },
    },
    required: ['block_rules'],
  },
  check: ({ block_rules }) => patternFault(block_rules),
  create({ block_rules, rejected_code, rejected_msg, case_insensitive }) {
    const patterns = patternsOf(block_rules, case_insensitive ? 'i' : '');
    const body = rejected_msg === undefined ? {} : { body: { error_msg: rejected_msg } };
    const refusal = { status: rejected_code, ...body };
    return {
      rewrite({ path, query }) {
        // The path as it is decoded: an escape is no way around a rule.
        const uri = query === '' ? path : `${path}?${query}`;
        return patterns.some((pattern) => pattern.test(uri)) ? refusal : undefined;
      },
    };
  },
});
