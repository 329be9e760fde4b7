import type { AnswerFraming } from './http/client-connection.ts';
import type { ResponseHead } from './http/head.ts';
import type { RequestContext } from './request-context.ts';

/** How an answer from upstream goes to the client; a field that says otherwise is mended. */
export function answerFraming(
  context: RequestContext,
  { status: given, fields, framing }: ResponseHead,
  isFiltered: boolean,
): AnswerFraming {
  const status = context.response?.status ?? given;
  if (context.head.method === 'HEAD' || status === 204 || status === 304) {
    if (status === 204) fields.remove('content-length');
    return 'none';
  }
  if (fields.has('content-length')) return 'length';
  if (framing.kind === 'none' && !isFiltered) {
    fields.set('Content-Length', '0');
    return 'length';
  }
  return 'chunked';
}
