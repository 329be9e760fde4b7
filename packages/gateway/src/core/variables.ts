import { hostname } from 'node:os';
import { parseTraceparent } from '@thalweg/wire';
import type { HeaderFields } from './http/header-fields.ts';
import { postArgument } from './post-arguments.ts';
import type { RequestContext } from './request-context.ts';

type Reader = (context: RequestContext) => string | undefined;

const HOSTNAME = hostname();

/** Variables by their nginx and APISIX names; the prefixes `arg_`, `http_` and so on come after. */
const READERS: Readonly<Record<string, Reader>> = {
  uri: ({ path }) => path,
  document_uri: ({ path }) => path,
  request_uri: ({ head }) => head.target,
  real_request_uri: ({ head }) => head.target,
  args: ({ query }) => query,
  query_string: ({ query }) => query,
  is_args: ({ query }) => (query === '' ? '' : '?'),
  request_method: ({ method }) => method,
  method: ({ method }) => method,
  request: ({ head }) => `${head.method} ${head.target} ${protocol(head)}`,
  request_length: ({ receivedBytes }) => String(receivedBytes),
  request_id: (context) => requestId(context),
  server_protocol: ({ head }) => protocol(head),
  scheme: ({ peer }) => (peer.isTls ? 'https' : 'http'),
  https: ({ peer }) => (peer.isTls ? 'on' : ''),
  host: ({ host }) => host,
  hostname: () => HOSTNAME,
  server_name: () => '_',
  server_addr: ({ peer }) => peer.localAddress,
  server_port: ({ peer }) => String(peer.localPort),
  remote_addr: ({ clientIp }) => clientIp,
  remote_port: ({ clientPort }) => String(clientPort),
  realip_remote_addr: ({ peer }) => peer.address,
  realip_remote_port: ({ peer }) => String(peer.port),
  remote_user: ({ headers }) => basicUser(headers.get('authorization')),
  content_type: ({ headers }) => headers.get('content-type'),
  content_length: ({ headers }) => headers.get('content-length'),
  http_cookie: ({ headers }) => headers.all('cookie').join('; ') || undefined,
  ssl_protocol: ({ peer }) => peer.tlsVersion,
  ssl_server_name: ({ peer }) => peer.serverName,
  proxy_add_x_forwarded_for: ({ headers, clientIp }) =>
    [...headers.all('x-forwarded-for'), clientIp].join(', '),
  status: ({ response }) => (response === undefined ? undefined : String(response.status)),
  bytes_sent: ({ sentBytes }) => String(sentBytes),
  body_bytes_sent: ({ sentBodyBytes }) => String(sentBodyBytes),
  request_time: ({ startMs, endMs }) => (((endMs || Date.now()) - startMs) / 1_000).toFixed(3),
  msec: () => (Date.now() / 1_000).toFixed(3),
  time_iso8601: () => `${new Date().toISOString().slice(0, 19)}+00:00`,
  time_local: () => localTime(new Date()),
  pid: () => String(process.pid),
  trace_id: ({ headers }) => parseTraceparent(headers.get('traceparent') ?? '')?.traceId,
  request_body: ({ body }) => body.whole()?.toString('latin1'),
  consumer_name: ({ consumer }) => consumer?.username,
  consumer_group_id: ({ consumer }) => consumer?.groupId,
  credential_identifier: ({ credential }) => credential?.credentialId,
  route_id: ({ route }) => route?.id,
  route_name: ({ route }) => route?.object.name,
  matched_uri: ({ route }) => route?.uri,
  matched_host: ({ route }) => route?.host,
  service_id: ({ route }) => route?.serviceId,
  service_name: ({ route }) => route?.service?.name,
  balancer_ip: ({ tries }) => tries.at(-1)?.node.address,
  balancer_port: ({ tries }) => port(tries.at(-1)?.node.port),
  upstream_unresolved_host: ({ tries }) => tries.at(-1)?.node.host,
  upstream_addr: ({ tries }) =>
    tries.length === 0 ? undefined : tries.map(({ node }) => node.key).join(', '),
  upstream_status: ({ tries }) =>
    tries.length === 0 ? undefined : tries.map(({ status }) => status ?? 502).join(', '),
  upstream_response_time: ({ tries }) =>
    tries.length === 0
      ? undefined
      : tries
          .map(({ startMs, endMs }) => (((endMs || Date.now()) - startMs) / 1_000).toFixed(3))
          .join(', '),
  upstream_scheme: (context) => context.upstreamScheme ?? context.upstream?.object.scheme ?? 'http',
  upstream_host: ({ upstreamHost, host }) => upstreamHost ?? host,
  upstream_uri: (context) => context.upstreamUri ?? context.head.target,
  apisix_request_id: (context) => requestId(context),
};

type PrefixReader = (context: RequestContext, name: string) => string | undefined;

const PREFIXES: readonly (readonly [string, PrefixReader])[] = [
  ['arg_', (context, name) => context.argument(name)],
  ['http_', ({ headers }, name) => field(headers, name)],
  ['cookie_', (context, name) => context.cookie(name)],
  ['uri_param_', ({ matchedParameters }, name) => matchedParameters?.get(name)],
  ['sent_http_', ({ response }, name) => field(response?.fields, name)],
  ['upstream_http_', ({ response }, name) => field(response?.fields, name)],
  ['post_arg_', (context, name) => single(postArgument(context, name))],
  ['post_arg.', (context, name) => single(postArgument(context, name))],
];

/** A variable's value; undefined when there is no such variable or it has none now. */
export function readVariable(context: RequestContext, name: string): string | undefined {
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (reader !== undefined) return reader(context);
  for (const [prefix, read] of PREFIXES) {
    if (name.startsWith(prefix)) return read(context, name.slice(prefix.length));
  }
  return undefined;
}

/** `x_a`, as variables spell it, is the field `x-a`, or `x_a` itself. */
function field(fields: HeaderFields | undefined, name: string): string | undefined {
  if (fields === undefined) return undefined;
  const wanted = name.toLowerCase();
  const found = fields.joined(wanted.replaceAll('_', '-'));
  if (found !== undefined || !wanted.includes('_')) return found;
  const key = [...fields.keys()].find((one) => one.replaceAll('-', '_') === wanted);
  return key === undefined ? undefined : fields.joined(key);
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `22/Nov/2026:11:06:38 +0000`: nginx's `time_local`, in UTC as `time_iso8601` is. */
function localTime(now: Date): string {
  const [year, , day] = now.toISOString().slice(0, 10).split('-');
  return `${day}/${MONTHS[now.getUTCMonth()]}/${year}:${now.toISOString().slice(11, 19)} +0000`;
}

function protocol({ isHttp10, isHttp2 }: RequestContext['head']): string {
  if (isHttp2 === true) return 'HTTP/2.0';
  return isHttp10 ? 'HTTP/1.0' : 'HTTP/1.1';
}

function port(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}

function basicUser(header: string | undefined): string | undefined {
  const encoded = /^basic\s+(\S+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [user] = Buffer.from(encoded, 'base64').toString().split(':');
  return user;
}

/** 32 hexadecimal digits, made once for each request that asks. */
function requestId(context: RequestContext): string {
  const known = context.slot<string>(REQUEST_ID);
  if (known !== undefined) return known;
  const made = crypto.randomUUID().replaceAll('-', '');
  context.setSlot(REQUEST_ID, made);
  return made;
}

const REQUEST_ID = Symbol('request id');
