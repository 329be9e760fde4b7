import { keyAuth } from './key-auth.ts';
import { limitCount } from './limit-count.ts';
import { fileLogger } from './logging/file-logger.ts';
import { httpLogger } from './logging/http-logger.ts';
import { lokiLogger } from './logging/loki-logger.ts';
import { nodeStatus } from './node-status.ts';
import { opentelemetry } from './opentelemetry/opentelemetry.ts';
import type { Plugin } from './plugin.ts';
import { prometheus } from './prometheus/prometheus.ts';
import { proxyCache } from './proxy-cache/proxy-cache.ts';
import { proxyRewrite } from './proxy-rewrite.ts';
import { skywalking } from './skywalking/skywalking.ts';
import { apiBreaker } from './traffic/api-breaker.ts';
import { clientControl } from './traffic/client-control.ts';
import { faultInjection } from './traffic/fault-injection.ts';
import { limitConn } from './traffic/limit-conn.ts';
import { limitReq } from './traffic/limit-req.ts';
import { mocking } from './traffic/mocking.ts';
import { proxyControl } from './traffic/proxy-control.ts';
import { proxyMirror } from './traffic/proxy-mirror.ts';
import { trafficSplit } from './traffic/traffic-split.ts';
import { workflow } from './traffic/workflow.ts';
import { zipkin } from './zipkin/zipkin.ts';

/** Every plugin there is. Add one: a file, a line here. */
export const PLUGINS: readonly Plugin[] = [
  apiBreaker,
  clientControl,
  faultInjection,
  fileLogger,
  httpLogger,
  keyAuth,
  limitConn,
  limitCount,
  limitReq,
  lokiLogger,
  mocking,
  nodeStatus,
  opentelemetry,
  prometheus,
  proxyCache,
  proxyControl,
  proxyMirror,
  proxyRewrite,
  skywalking,
  trafficSplit,
  workflow,
  zipkin,
];
