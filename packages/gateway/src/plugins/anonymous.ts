import type { ConsumerBook } from '../core/consumer.ts';
import { messageAnswer, type RequestContext } from '../core/request-context.ts';
import type { Outcome } from './plugin.ts';

/** The property of every authentication plugin that lets unknown callers in under a name. */
export const ANONYMOUS_CONSUMER = { type: 'string', minLength: 1 } as const;

/** Lets the caller in as `username`; 401 when there is no such consumer. */
export function anonymous(
  context: RequestContext,
  consumers: ConsumerBook,
  username: string,
  challenge: Readonly<Record<string, string>>,
): Outcome {
  const consumer = consumers.byName(username);
  if (consumer === undefined) return messageAnswer(401, 'Invalid user authorization', challenge);
  context.attachConsumer({ consumer, credentialId: undefined, conf: {} });
  return undefined;
}
