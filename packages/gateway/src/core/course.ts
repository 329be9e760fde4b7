import type { ReadyRoute } from './catalogue.ts';
import type { Chain } from './chain.ts';

/** Everything that runs for one request, besides the context: found once, kept for its phases. */
export interface Course {
  readonly globals: readonly Chain[];
  readonly route: ReadyRoute | undefined;
  chain: Chain;
}
