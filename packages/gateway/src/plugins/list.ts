import { keyAuth } from './key-auth.ts';
import { limitCount } from './limit-count.ts';
import { fileLogger } from './logging/file-logger.ts';
import { httpLogger } from './logging/http-logger.ts';
import { lokiLogger } from './logging/loki-logger.ts';
import { nodeStatus } from './node-status.ts';
import { opentelemetry } from './opentelemetry/opentelemetry.ts';
import type { Plugin } from './plugin.ts';
import { prometheus } from './prometheus/prometheus.ts';
import { proxyRewrite } from './proxy-rewrite.ts';
import { skywalking } from './skywalking/skywalking.ts';
import { zipkin } from './zipkin/zipkin.ts';

/** Every plugin there is. Add one: a file, a line here. */
export const PLUGINS: readonly Plugin[] = [
  fileLogger,
  httpLogger,
  keyAuth,
  limitCount,
  lokiLogger,
  nodeStatus,
  opentelemetry,
  prometheus,
  proxyRewrite,
  skywalking,
  zipkin,
];
