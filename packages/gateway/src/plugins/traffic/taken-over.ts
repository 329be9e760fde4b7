import type { RequestContext } from '../../core/request-context.ts';

const TAKEN_OVER = Symbol('taken over');

/** A workflow has done `plugin`'s work for this request: the route's own one stays away. */
export function takeOver(context: RequestContext, plugin: string): void {
  const names = context.slot<readonly string[]>(TAKEN_OVER) ?? [];
  context.setSlot(TAKEN_OVER, [...names, plugin]);
}

export function isTakenOver(context: RequestContext, plugin: string): boolean {
  return context.slot<readonly string[]>(TAKEN_OVER)?.includes(plugin) === true;
}
