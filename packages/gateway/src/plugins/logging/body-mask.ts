import type { RequestContext } from '../../core/request-context.ts';

/** What loggers may show of a request's body; undefined is nothing of it. */
export type BodyMask = (text: string) => string | undefined;

const SLOT = Symbol('body mask');

/** Loggers that come later show the body only through `mask`. */
export function setBodyMask(context: RequestContext, mask: BodyMask): void {
  context.setSlot(SLOT, mask);
}

export function maskedBody(context: RequestContext, text: string | undefined): string | undefined {
  const mask = context.slot<BodyMask>(SLOT);
  return mask === undefined || text === undefined ? text : mask(text);
}
