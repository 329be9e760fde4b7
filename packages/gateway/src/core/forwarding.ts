import { answerFraming } from './answer-framing.ts';
import type { Node } from './balance/balancer.ts';
import { type HeldAnswer, holdAnswer } from './held-answer.ts';
import type { BodySink } from './http/body-decoder.ts';
import type { ClientConnection, ClientListener } from './http/client-connection.ts';
import type { ResponseHead } from './http/head.ts';
import type { HeaderFields } from './http/header-fields.ts';
import { trailerLines } from './http/message.ts';
import type {
  UpstreamConnection,
  UpstreamFailure,
  UpstreamListener,
} from './http/upstream-connection.ts';
import type { Destination, UpstreamPool } from './http/upstream-pool.ts';
import type { RequestContext, ResponseState } from './request-context.ts';
import { EMPTY } from './sockets/connection.ts';
import { joinConnections } from './tunnel.ts';
import type { Upstream, UpstreamTimeouts, UpstreamTry } from './upstream.ts';
import { requestFraming, requestHead, requestHeaders } from './upstream-request.ts';

export type BodyFilter = (bytes: Buffer, isLast: boolean) => Buffer;

/** What forwarding asks of the rest of the gateway; made once, not for each request. */
export interface ForwardingParts {
  /** A connection to a node, new or kept. */
  readonly take: UpstreamPool['take'];
  now(): number;
  /** Unix ms with fractions. */
  preciseNow(): number;
  beforeProxy(context: RequestContext): void;
  headerFilter(context: RequestContext): void;
  /** Undefined when no plugin wants the body. */
  bodyFilter(context: RequestContext): BodyFilter | undefined;
  /** The gateway's own answer, when there is none from upstream. */
  answer(context: RequestContext, client: ClientConnection, status: number): void;
  /** The request is over, however it ended. Called exactly once. */
  done(context: RequestContext): void;
  destination(
    context: RequestContext,
    upstream: Upstream,
    node: Node,
    timeouts: UpstreamTimeouts,
  ): Destination;
  report(upstream: Upstream, node: Node, outcome: number | UpstreamFailure): void;
  readonly showsUpstreamStatus: boolean;
}

export interface ForwardingTarget {
  readonly upstream: Upstream;
  readonly timeouts: UpstreamTimeouts;
  readonly allowsUpgrade: boolean;
}

/** Methods that may be sent twice. Source: RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
]);
const CRLF = Buffer.from('\r\n');

/** Sends a request to its upstream and the answer back; tries again while no answer has begun. */
export function forward(
  parts: ForwardingParts,
  context: RequestContext,
  client: ClientConnection,
  target: ForwardingTarget,
): void {
  const forwarding = new Forwarding(parts, context, client, target);
  client.listen(new ClientSide(forwarding));
  const waiting = target.upstream.ready();
  if (waiting === undefined) forwarding.tryNext();
  else void waiting.then(() => forwarding.tryNext());
}

/**
 * One request on its way to an upstream and back. A class, against rule 11: one is made for each
 * request, and a prototype's methods cost nothing to make.
 */
class Forwarding implements UpstreamListener {
  private readonly parts: ForwardingParts;
  private readonly context: RequestContext;
  private readonly client: ClientConnection;
  private readonly upstream: Upstream;
  private readonly timeouts: UpstreamTimeouts;
  private readonly upgrade: string | undefined;
  private readonly tried: Node[] = [];
  private readonly startMs: number;
  private connection: UpstreamConnection | undefined = undefined;
  private current: UpstreamTry | undefined = undefined;
  private filter: BodyFilter | undefined = undefined;
  private held: HeldAnswer | undefined = undefined;
  private hasSent = false;
  private hasHead = false;
  private isOver = false;
  private hasRepeated = false;

  constructor(
    parts: ForwardingParts,
    context: RequestContext,
    client: ClientConnection,
    { upstream, timeouts, allowsUpgrade }: ForwardingTarget,
  ) {
    this.parts = parts;
    this.context = context;
    this.client = client;
    this.upstream = upstream;
    this.timeouts = timeouts;
    // HTTP/2 in plain text would carry requests past routes and plugins.
    const asked = context.head.upgrade;
    this.upgrade = allowsUpgrade && asked?.includes('h2c') === false ? asked : undefined;
    this.startMs = parts.now();
  }

  tryNext(): void {
    if (this.isOver) return;
    const { tried } = this;
    const node = this.upstream.pick(this.context, tried, this.parts.now());
    if (node === undefined) this.giveUp(tried.length === 0 ? 503 : 502);
    else {
      tried.push(node);
      this.sendTo(node);
    }
  }

  private sendTo(node: Node): void {
    const { parts, context, upstream, timeouts } = this;
    const startMs = parts.preciseNow();
    const current = { node, startMs, status: undefined, connectedMs: 0, headerMs: 0, endMs: 0 };
    this.current = current;
    context.tries.push(current);
    parts.beforeProxy(context);
    upstream.begin(node);
    this.hasSent = false;
    const connection = parts.take(parts.destination(context, upstream, node, timeouts));
    this.connection = connection;
    connection.begin(context.method, timeouts, this);
  }

  private closeTry(endMs: number): void {
    const { current } = this;
    if (current === undefined || current.endMs !== 0) return;
    current.endMs = endMs;
    this.upstream.end(current.node, endMs - current.startMs, endMs);
  }

  private over(): void {
    this.isOver = true;
    this.connection = undefined;
    this.client.listen(undefined);
    this.closeTry(this.parts.preciseNow());
    this.parts.done(this.context);
  }

  private giveUp(status: number): void {
    if (this.isOver) return;
    this.isOver = true;
    this.closeTry(this.parts.preciseNow());
    this.client.listen(undefined);
    this.parts.answer(this.context, this.client, status);
    this.parts.done(this.context);
  }

  /** Whether another node may be asked, after `why` happened to this one. */
  private mayRetry(why: UpstreamFailure): boolean {
    const { upstream, context } = this;
    if (this.tried.length > upstream.retries()) return false;
    const { retryTimeoutMs } = upstream;
    if (retryTimeoutMs > 0 && this.parts.now() - this.startMs >= retryTimeoutMs) return false;
    if (!context.body.isReplayable() && context.body.replacement() === undefined) return false;
    return !this.hasSent || why === 'connect' || IDEMPOTENT.has(context.method);
  }

  /** A kept connection that the node had closed: not the node's failure, so it is asked again. */
  private isStale(why: UpstreamFailure): boolean {
    const isReused = this.connection?.isReused() === true;
    return isReused && !this.hasRepeated && why === 'reset' && this.context.body.isReplayable();
  }

  connected(): void {
    const { connection, current, context } = this;
    if (connection === undefined || current === undefined) return;
    current.connectedMs = connection.isReused() ? current.startMs : this.parts.preciseNow();
    const isBodyless = requestFraming(context).kind === 'none';
    if (connection.http2 === undefined) {
      connection.write(requestHead(context, this.upstream, current.node, this.upgrade), EMPTY);
    } else connection.http2.head(requestHeaders(context, this.upstream, current.node), isBodyless);
    this.hasSent = true;
    if (isBodyless) connection.sent();
    else context.body.attach(new UpstreamSide(this));
  }

  head(head: ResponseHead): void {
    this.hasHead = true;
    const { current } = this;
    if (current !== undefined) {
      current.status = head.status;
      current.headerMs = this.parts.preciseNow();
      this.parts.report(this.upstream, current.node, head.status);
    }
    const { heldBytesMax } = this.context;
    if (head.status === 101) this.switchProtocols(head);
    else if (heldBytesMax > 0) this.held = holdAnswer(head, heldBytesMax);
    else this.startAnswer(head);
  }

  data(bytes: Buffer): void {
    if (this.held === undefined) this.send(bytes);
    else if (!this.held.add(bytes)) {
      this.connection?.destroy();
      this.connection = undefined;
      this.giveUp(502);
    }
  }

  private send(bytes: Buffer): void {
    // Plugins may keep what they are given.
    const sent = this.filter === undefined ? bytes : this.filter(Buffer.from(bytes), false);
    if (!this.client.writeBody(sent)) this.connection?.pause();
  }

  end(trailers: HeaderFields | undefined): void {
    const { client, context, held } = this;
    if (held !== undefined) {
      // It may serve the next request already: nothing may pause it.
      this.connection = undefined;
      const body = held.body();
      this.startAnswer(held.head, { body, trailers });
      this.send(body);
    }
    const { response } = context;
    let sent = trailers;
    if (this.filter !== undefined && response !== undefined) {
      response.trailers = trailers;
      client.writeBody(this.filter(EMPTY, true));
      sent = response.trailers;
    }
    context.endMs = this.parts.preciseNow();
    this.closeTry(context.endMs);
    this.isOver = true;
    this.connection = undefined;
    client.end(sent);
    this.parts.done(context);
  }

  failed(why: UpstreamFailure): void {
    const isAgain = this.isStale(why);
    const { context, client, current } = this;
    this.connection = undefined;
    context.body.detach();
    if (this.isOver || current === undefined) return;
    if (this.hasHead && this.held === undefined) {
      // Half an answer is out: the client must see that it is cut.
      client.listen(undefined);
      client.destroy();
      this.over();
      return;
    }
    this.held = undefined;
    this.hasHead = false;
    this.closeTry(this.parts.preciseNow());
    const { node } = current;
    if (isAgain) {
      this.hasRepeated = true;
      context.tries.pop();
      this.sendTo(node);
      return;
    }
    const isLate = why === 'timeout' || why === 'connect-timeout';
    current.status = isLate ? 504 : 502;
    this.parts.report(this.upstream, node, why);
    if (this.mayRetry(why)) this.tryNext();
    else this.giveUp(isLate ? 504 : 502);
  }

  drained(): void {
    this.context.body.flow(true);
  }

  flush(): void {
    if (this.held === undefined) this.client.flush();
  }

  bodyData(bytes: Buffer): void {
    const { connection, context } = this;
    if (connection === undefined || bytes.length === 0) return;
    const isChunked = connection.http2 === undefined && requestFraming(context).kind === 'chunked';
    const isReady = isChunked
      ? connection.write(`${bytes.length.toString(16)}\r\n`, Buffer.concat([bytes, CRLF]))
      : connection.write('', bytes);
    if (!isReady) context.body.flow(false);
  }

  bodyEnd(trailers: HeaderFields | undefined): void {
    const { connection } = this;
    if (connection === undefined) return;
    if (connection.http2 !== undefined) connection.http2.end(trailers);
    else if (requestFraming(this.context).kind === 'chunked') {
      connection.write(`0\r\n${trailerLines(trailers)}\r\n`, EMPTY);
    }
    connection.sent();
  }

  clientGone(): void {
    if (this.isOver) return;
    this.connection?.destroy();
    this.over();
  }

  clientDrained(): void {
    this.connection?.resume();
  }

  private startAnswer(head: ResponseHead, held?: ResponseState['held']): void {
    const { context, parts } = this;
    const { fields, status } = head;
    context.response = { status, fields, source: 'upstream', held };
    if (status >= 500 || parts.showsUpstreamStatus) {
      fields.set('X-APISIX-Upstream-Status', context.variable('upstream_status') ?? '');
    }
    this.filter = parts.bodyFilter(context);
    parts.headerFilter(context);
    const framing = answerFraming(context, head, this.filter !== undefined);
    this.client.writeHead(context.response.status, fields, framing);
    // Without a body to come there is no flush: the end follows.
  }

  private switchProtocols(head: ResponseHead): void {
    const { connection, context, client } = this;
    if (connection === undefined) return;
    if (this.upgrade === undefined) {
      // Nobody asked for it: what follows could not be framed.
      connection.destroy();
      this.hasHead = false;
      this.giveUp(502);
      return;
    }
    context.response = { status: 101, fields: head.fields, source: 'upstream' };
    this.parts.headerFilter(context);
    client.listen(undefined);
    const { socket: node, rest: fromNode } = connection.takeOver();
    const { socket: peer, rest: fromPeer } = client.upgrade(head.fields);
    if (fromNode.length > 0) peer.write('', fromNode);
    if (fromPeer.length > 0) node.write('', fromPeer);
    joinConnections(peer, node, () => this.over());
  }
}

/** What the client's connection tells. */
class ClientSide implements ClientListener {
  private readonly forwarding: Forwarding;

  constructor(forwarding: Forwarding) {
    this.forwarding = forwarding;
  }

  gone(): void {
    this.forwarding.clientGone();
  }

  drained(): void {
    this.forwarding.clientDrained();
  }
}

/** Where the request's body goes. */
class UpstreamSide implements BodySink {
  private readonly forwarding: Forwarding;

  constructor(forwarding: Forwarding) {
    this.forwarding = forwarding;
  }

  data(bytes: Buffer): void {
    this.forwarding.bodyData(bytes);
  }

  end(trailers: HeaderFields | undefined): void {
    this.forwarding.bodyEnd(trailers);
  }
}
