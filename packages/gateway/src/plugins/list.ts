import { keyAuth } from './key-auth.ts';
import { limitCount } from './limit-count.ts';
import type { Plugin } from './plugin.ts';
import { proxyRewrite } from './proxy-rewrite.ts';

/** Every plugin there is. Add one: a file, a line here. */
export const PLUGINS: readonly Plugin[] = [keyAuth, limitCount, proxyRewrite];
