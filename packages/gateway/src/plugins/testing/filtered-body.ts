import type { RequestContext } from '../../core/request-context.ts';
import type { Handlers } from '../plugin.ts';

/** What is sent of a body that comes in `pieces`. */
export function filteredBody(
  handlers: Handlers,
  context: RequestContext,
  pieces: readonly Buffer[],
): Buffer {
  const filter = handlers.body_filter ?? ((_context, bytes) => bytes);
  const sent = pieces.map((piece) => filter(context, piece, false));
  return Buffer.concat([...sent, filter(context, Buffer.alloc(0), true)]);
}
