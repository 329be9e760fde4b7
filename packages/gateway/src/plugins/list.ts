import { acl } from './acl.ts';
import { attachConsumerLabel } from './attach-consumer-label.ts';
import { basicAuth } from './basic-auth.ts';
import { bodyTransformer } from './body-transformer/body-transformer.ts';
import { brotli } from './brotli.ts';
import { consumerRestriction } from './consumer-restriction.ts';
import { cors } from './cors.ts';
import { csrf } from './csrf.ts';
import { dataMask } from './data-mask.ts';
import { echo } from './echo.ts';
import { errorPage } from './error-page.ts';
import { examplePlugin } from './example-plugin.ts';
import { forwardAuth } from './forward-auth.ts';
import { grpcTranscode } from './grpc-transcode/grpc-transcode.ts';
import { grpcWeb } from './grpc-web.ts';
import { gzip } from './gzip.ts';
import { hmacAuth } from './hmac-auth.ts';
import { ipRestriction } from './ip-restriction.ts';
import { jwtAuth } from './jwt-auth.ts';
import { keyAuth } from './key-auth.ts';
import { limitCount } from './limit-count.ts';
import { clickhouseLogger } from './logging/clickhouse-logger.ts';
import { errorLogLogger } from './logging/error-log-logger.ts';
import { fileLogger } from './logging/file-logger.ts';
import { httpLogger } from './logging/http-logger.ts';
import { lokiLogger } from './logging/loki-logger.ts';
import { syslog } from './logging/syslog.ts';
import { tcpLogger } from './logging/tcp-logger.ts';
import { udpLogger } from './logging/udp-logger.ts';
import { mqttProxy } from './mqtt-proxy/mqtt-proxy.ts';
import { multiAuth } from './multi-auth.ts';
import { nodeStatus } from './node-status.ts';
import { oasValidator } from './oas-validator/oas-validator.ts';
import { opa } from './opa.ts';
import { openidConnect } from './openid-connect/openid-connect.ts';
import { opentelemetry } from './opentelemetry/opentelemetry.ts';
import type { Plugin } from './plugin.ts';
import { prometheus } from './prometheus/prometheus.ts';
import { proxyCache } from './proxy-cache/proxy-cache.ts';
import { proxyRewrite } from './proxy-rewrite.ts';
import { publicApi } from './public-api.ts';
import { realIp } from './real-ip.ts';
import { redirect } from './redirect.ts';
import { refererRestriction } from './referer-restriction.ts';
import { requestId } from './request-id.ts';
import { requestValidation } from './request-validation.ts';
import { responseRewrite } from './response-rewrite.ts';
import { skywalking } from './skywalking/skywalking.ts';
import { apiBreaker } from './traffic/api-breaker.ts';
import { clientControl } from './traffic/client-control.ts';
import { faultInjection } from './traffic/fault-injection.ts';
import { limitConn } from './traffic/limit-conn.ts';
import { limitReq } from './traffic/limit-req.ts';
import { mocking } from './traffic/mocking.ts';
import { proxyBuffering } from './traffic/proxy-buffering.ts';
import { proxyControl } from './traffic/proxy-control.ts';
import { proxyMirror } from './traffic/proxy-mirror.ts';
import { trafficLabel } from './traffic/traffic-label.ts';
import { trafficSplit } from './traffic/traffic-split.ts';
import { workflow } from './traffic/workflow.ts';
import { uaRestriction } from './ua-restriction.ts';
import { uriBlocker } from './uri-blocker.ts';
import { zipkin } from './zipkin/zipkin.ts';

/** Every plugin there is. Add one: a file, a line here. */
export const PLUGINS: readonly Plugin[] = [
  acl,
  apiBreaker,
  attachConsumerLabel,
  basicAuth,
  bodyTransformer,
  brotli,
  clickhouseLogger,
  clientControl,
  consumerRestriction,
  cors,
  csrf,
  dataMask,
  echo,
  errorLogLogger,
  errorPage,
  examplePlugin,
  faultInjection,
  fileLogger,
  forwardAuth,
  grpcTranscode,
  grpcWeb,
  gzip,
  hmacAuth,
  httpLogger,
  ipRestriction,
  jwtAuth,
  keyAuth,
  limitConn,
  limitCount,
  limitReq,
  lokiLogger,
  mocking,
  mqttProxy,
  multiAuth,
  nodeStatus,
  oasValidator,
  opa,
  openidConnect,
  opentelemetry,
  prometheus,
  proxyBuffering,
  proxyCache,
  proxyControl,
  proxyMirror,
  proxyRewrite,
  publicApi,
  realIp,
  redirect,
  refererRestriction,
  requestId,
  requestValidation,
  responseRewrite,
  skywalking,
  syslog,
  tcpLogger,
  trafficLabel,
  trafficSplit,
  uaRestriction,
  udpLogger,
  uriBlocker,
  workflow,
  zipkin,
];
