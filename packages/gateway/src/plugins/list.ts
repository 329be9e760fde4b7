import { keyAuth } from './key-auth.ts';
import { limitCount } from './limit-count.ts';
import { opentelemetry } from './opentelemetry/opentelemetry.ts';
import type { Plugin } from './plugin.ts';
import { prometheus } from './prometheus/prometheus.ts';
import { proxyRewrite } from './proxy-rewrite.ts';

/** Every plugin there is. Add one: a file, a line here. */
export const PLUGINS: readonly Plugin[] = [
  keyAuth,
  limitCount,
  opentelemetry,
  prometheus,
  proxyRewrite,
];
