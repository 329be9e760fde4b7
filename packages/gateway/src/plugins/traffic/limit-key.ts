import { errorPage } from '../../core/answer.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { resolveTemplate } from '../../core/template.ts';
import type { Outcome } from '../plugin.ts';

export type KeyType = 'var' | 'var_combination';

export const KEY_TYPE = {
  type: 'string',
  enum: ['var', 'var_combination'],
  default: 'var',
} as const;

/** What limiting plugins share about the answer to those over the limit. */
export interface RejectFields {
  readonly rejected_code: number;
  readonly rejected_msg?: string;
}

export const REJECT_FIELDS = {
  rejected_code: { type: 'integer', minimum: 200, maximum: 599, default: 503 },
  rejected_msg: { type: 'string', minLength: 1 },
} as const;

/** What a request is counted under; the client's address where the key has no value. */
export function limitKey(context: RequestContext, keyType: KeyType, key: string): string {
  if (keyType === 'var') return context.variable(key) || context.clientIp;
  const { text, resolvedCount } = resolveTemplate(context, key);
  return resolvedCount === 0 ? context.clientIp : text;
}

export function rejection({ rejected_code: status, rejected_msg: message }: RejectFields): Outcome {
  if (message !== undefined) return { status, body: { error_msg: message } };
  return { ...errorPage(status), source: 'apisix' };
}
