import type { Answer } from './answer.ts';
import type { Consumer, Credential } from './consumer.ts';
import type { Course } from './course.ts';
import type { RequestHead } from './http/head.ts';
import type { HeaderFields } from './http/header-fields.ts';
import type { RouteObject, ServiceObject } from './objects.ts';
import { postArgument } from './post-arguments.ts';
import type { RequestBody } from './request-body.ts';
import type { Upstream, UpstreamTry } from './upstream.ts';
import { readVariable } from './variables.ts';

/** The two ends of the client's connection. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly isTls: boolean;
  /** The name of the TLS handshake. */
  readonly serverName: string | undefined;
  readonly tlsVersion: string | undefined;
  /** What the client has shown of itself in the handshake; undefined without a certificate. */
  readonly clientChain: ClientChain | undefined;
}

/** A client's certificate, as verified by the CA of the SSL object that the handshake was for. */
export interface ClientChain {
  readonly isTrusted: boolean;
  /** Certificates between the client's own and the trusted one. */
  readonly intermediates: number;
}

/** The route that matched, with its service and plugin config merged in. */
export interface MatchedRoute {
  readonly id: string;
  /** The pattern of the route that matched: what `http.route` and `matched_uri` show. */
  readonly uri: string;
  readonly host: string;
  readonly object: RouteObject;
  readonly serviceId: string | undefined;
  readonly service: ServiceObject | undefined;
}

/** How long one plugin took in one phase. Times in Unix ms, with fractions. */
export interface PhaseTime {
  readonly plugin: string;
  readonly phase: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** What is answered; plugins change it in `header_filter`. */
export interface ResponseState {
  status: number;
  readonly fields: HeaderFields;
  readonly source: 'upstream' | 'apisix' | 'nginx';
  /** Of the upstream, from the last call of `body_filter` on; who takes them away sends none. */
  trailers?: HeaderFields | undefined;
  /** The rest of an answer that was held until its end. */
  readonly held?:
    | { readonly body: Buffer; readonly trailers: HeaderFields | undefined }
    | undefined;
}

/**
 * One request on its way through the gateway: what plugins read and change. A class, against rule
 * 11: one is made for each request, and a prototype's methods cost nothing to make.
 */
export class RequestContext {
  readonly peer: Peer;
  /** As it came; `data-mask` shows another one to logs. */
  head: RequestHead;
  readonly body: RequestBody;
  /** Unix time in milliseconds, with fractions, of the first octet's arrival. */
  readonly startMs: number;
  /** What is sent on: plugins change it. */
  readonly headers: HeaderFields;
  method: string;
  /** Decoded and normalised; what routes are matched by. */
  path: string;
  /** The path as it came: what is sent on unless a plugin rewrites it. */
  rawPath: string;
  /** Raw, without `?`. */
  query: string;
  /** Host of the request without port, in lower case. */
  host: string;
  /** Without effect on the connection: `real-ip` sets it. */
  clientIp: string;
  clientPort: number;
  route: MatchedRoute | undefined = undefined;
  matchedParameters: ReadonlyMap<string, string> | undefined = undefined;
  consumer: Consumer | undefined = undefined;
  credential: Credential | undefined = undefined;
  /** Whom a provider elsewhere has vouched for: what it says of the user. */
  externalUser: Readonly<Record<string, unknown>> | undefined = undefined;
  /** Path and query to send instead of the client's own; set by `proxy-rewrite`. */
  upstreamUri: string | undefined = undefined;
  /** Host to send whatever `pass_host` says. */
  upstreamHost: string | undefined = undefined;
  /** Upstream to use instead of the route's; set by `traffic-split`. */
  upstream: Upstream | undefined = undefined;
  upstreamScheme: string | undefined = undefined;
  /** Above 0: the upstream's answer is held until its end, if it has no more octets of body. */
  heldBytesMax = 0;
  /** Tries so far, the current one last. */
  readonly tries: UpstreamTry[] = [];
  response: ResponseState | undefined = undefined;
  /** Filled while `apisix.tracing` is on; else undefined. */
  phases: PhaseTime[] | undefined = undefined;
  /** What the pipeline runs for this request; its own, and undefined until a route was looked for. */
  course: Course | undefined = undefined;
  /** Octets sent to the client, head included. */
  sentBytes = 0;
  sentBodyBytes = 0;
  /** Octets of the request, head included. */
  receivedBytes = 0;
  /** Unix ms when the last octet of the answer was handed over; 0 before. */
  endMs = 0;
  private variables: Map<string, string> | undefined = undefined;
  private slots: Map<unknown, unknown> | undefined = undefined;
  private argumentsMemo: { readonly query: string; readonly values: URLSearchParams } | undefined =
    undefined;

  constructor(peer: Peer, head: RequestHead, body: RequestBody, startMs: number) {
    this.peer = peer;
    this.head = head;
    this.body = body;
    this.startMs = startMs;
    this.headers = head.fields;
    this.method = head.method;
    this.path = '/';
    this.rawPath = '/';
    this.query = '';
    this.host = '';
    this.clientIp = peer.address;
    this.clientPort = peer.port;
  }

  /** A variable by its nginx or APISIX name without `$`; undefined when it has no value. */
  variable(name: string): string | undefined {
    return this.variables?.get(name) ?? readVariable(this, name);
  }

  /** As `variable`, but a list where a path into the body names several values. */
  values(name: string): string | readonly string[] | undefined {
    if (name.startsWith('post_arg.')) return postArgument(this, name.slice('post_arg.'.length));
    return this.variable(name);
  }

  /** Gives a variable a value for the rest of this request. */
  setVariable(name: string, value: string): void {
    this.variables ??= new Map();
    this.variables.set(name, value);
  }

  /** The first value of a query argument; undefined when it is not there. */
  argument(name: string): string | undefined {
    if (this.query === '') return undefined;
    return this.arguments().get(name) ?? undefined;
  }

  /** Query arguments, decoded. Change `query` to change what is sent. */
  arguments(): URLSearchParams {
    if (this.argumentsMemo?.query !== this.query) {
      this.argumentsMemo = { query: this.query, values: new URLSearchParams(this.query) };
    }
    return this.argumentsMemo.values;
  }

  /** A cookie's value; names are told apart by case. */
  cookie(name: string): string | undefined {
    const header = this.headers.all('cookie').join('; ');
    for (const pair of header.split(';')) {
      const at = pair.indexOf('=');
      if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
    }
    return undefined;
  }

  /** State of one plugin for this request; `key` is an object or symbol of the plugin's own. */
  slot<Value>(key: object | symbol): Value | undefined {
    // Checked edge: only the owner of `key` has put something there.
    return this.slots?.get(key) as Value | undefined;
  }

  setSlot(key: object | symbol, value: unknown): void {
    this.slots ??= new Map();
    this.slots.set(key, value);
  }

  /** An authentication plugin has found who this is. Client copies of the headers are dropped. */
  attachConsumer(credential: Credential): void {
    this.credential = credential;
    this.consumer = credential.consumer;
    const { headers } = this;
    headers.set('X-Consumer-Username', credential.consumer.username);
    if (credential.credentialId === undefined) headers.remove('x-credential-identifier');
    else headers.set('X-Credential-Identifier', credential.credentialId);
    const customId = credential.consumer.labels['custom_id'];
    if (customId === undefined) headers.remove('x-consumer-custom-id');
    else headers.set('X-Consumer-Custom-ID', customId);
  }
}

/** An answer that names what is wrong, the way authentication and access plugins do. */
export function messageAnswer(
  status: number,
  message: string,
  headers?: Answer['headers'],
): Answer {
  return { status, body: { message }, ...(headers === undefined ? {} : { headers }) };
}
