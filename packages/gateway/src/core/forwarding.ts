import type { Socket } from 'node:net';
import type { Node } from './balance/balancer.ts';
import type { BodySink } from './http/body-decoder.ts';
import type { AnswerFraming, ClientConnection } from './http/client-connection.ts';
import type { ResponseHead } from './http/head.ts';
import { trailerLines } from './http/message.ts';
import type {
  UpstreamConnection,
  UpstreamFailure,
  UpstreamListener,
} from './http/upstream-connection.ts';
import type { Destination, UpstreamPool } from './http/upstream-pool.ts';
import type { RequestContext } from './request-context.ts';
import type { Upstream, UpstreamTimeouts, UpstreamTry } from './upstream.ts';
import { requestFraming, requestHead } from './upstream-request.ts';

export type BodyFilter = (bytes: Buffer, isLast: boolean) => Buffer;

/** What forwarding asks of the rest of the gateway; made once, not for each request. */
export interface ForwardingParts {
  readonly pool: UpstreamPool;
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
const EMPTY = Buffer.alloc(0);
const CRLF = Buffer.from('\r\n');

/** Sends a request to its upstream and the answer back; tries again while no answer has begun. */
export function forward(
  parts: ForwardingParts,
  context: RequestContext,
  client: ClientConnection,
  { upstream, timeouts, allowsUpgrade }: ForwardingTarget,
): void {
  const tried: Node[] = [];
  const startMs = parts.now();
  const upgrade = allowsUpgrade ? context.head.upgrade : undefined;
  let connection: UpstreamConnection | undefined;
  let current: UpstreamTry | undefined;
  let filter: BodyFilter | undefined;
  let hasSent = false;
  let hasHead = false;
  let isOver = false;
  let hasRepeated = false;
  let isBodyless = false;

  function tryNext(): void {
    const node = upstream.pick(context, tried, parts.now());
    if (node === undefined) giveUp(tried.length === 0 ? 503 : 502);
    else {
      tried.push(node);
      sendTo(node);
    }
  }

  function sendTo(node: Node): void {
    const nowMs = parts.preciseNow();
    current = { node, startMs: nowMs, status: undefined, connectedMs: 0, headerMs: 0, endMs: 0 };
    context.tries.push(current);
    parts.beforeProxy(context);
    upstream.begin(node);
    hasSent = false;
    connection = parts.pool.take(parts.destination(context, upstream, node, timeouts));
    const { sendMs, readMs } = timeouts;
    connection.begin({ method: context.method, sendMs, readMs }, listener);
  }

  function closeTry(): void {
    if (current === undefined || current.endMs !== 0) return;
    current.endMs = parts.preciseNow();
    upstream.end(current.node, current.endMs - current.startMs, current.endMs);
  }

  function over(): void {
    isOver = true;
    connection = undefined;
    client.listen(undefined);
    closeTry();
    parts.done(context);
  }

  function giveUp(status: number): void {
    if (isOver) return;
    isOver = true;
    closeTry();
    client.listen(undefined);
    parts.answer(context, client, status);
    parts.done(context);
  }

  /** Whether another node may be asked, after `why` happened to this one. */
  function mayRetry(why: UpstreamFailure): boolean {
    if (tried.length > upstream.retries()) return false;
    const { retryTimeoutMs } = upstream;
    if (retryTimeoutMs > 0 && parts.now() - startMs >= retryTimeoutMs) return false;
    if (!context.body.isReplayable() && context.body.replacement() === undefined) return false;
    return !hasSent || why === 'connect' || IDEMPOTENT.has(context.method);
  }

  /** A kept connection that the node had closed: not the node's failure, so it is asked again. */
  function isStale(why: UpstreamFailure): boolean {
    const isReused = connection?.isReused() === true;
    return isReused && !hasRepeated && why === 'reset' && context.body.isReplayable();
  }

  const listener: UpstreamListener = {
    connected() {
      if (connection === undefined || current === undefined) return;
      current.connectedMs = parts.preciseNow();
      connection.writeText(requestHead(context, upstream, current.node, upgrade));
      hasSent = true;
      if (requestFraming(context).kind === 'none') connection.sent();
      else context.body.attach(requestBody);
    },
    head(head) {
      hasHead = true;
      if (current !== undefined) {
        current.status = head.status;
        current.headerMs = parts.preciseNow();
        parts.report(upstream, current.node, head.status);
      }
      if (head.status === 101) switchProtocols(head);
      else startAnswer(head);
    },
    data(bytes) {
      const sent = filter === undefined ? bytes : filter(bytes, false);
      if (!client.writeBody(sent)) connection?.pause();
    },
    end(trailers) {
      if (filter !== undefined) client.writeBody(filter(EMPTY, true));
      closeTry();
      context.endMs = parts.preciseNow();
      isOver = true;
      connection = undefined;
      client.end(trailers);
      parts.done(context);
    },
    failed(why) {
      const isAgain = isStale(why);
      connection = undefined;
      context.body.detach();
      if (isOver || current === undefined) return;
      if (hasHead) {
        // Half an answer is out: the client must see that it is cut.
        client.listen(undefined);
        client.destroy();
        over();
        return;
      }
      closeTry();
      const { node } = current;
      if (isAgain) {
        hasRepeated = true;
        context.tries.pop();
        sendTo(node);
        return;
      }
      const isLate = why === 'timeout' || why === 'connect-timeout';
      current.status = isLate ? 504 : 502;
      parts.report(upstream, node, why);
      if (mayRetry(why)) tryNext();
      else giveUp(isLate ? 504 : 502);
    },
    drained() {
      context.body.flow(true);
    },
    flush: () => client.flush(),
  };

  const requestBody: BodySink = {
    data(bytes) {
      if (connection === undefined) return;
      const isChunked = requestFraming(context).kind === 'chunked';
      const sent = isChunked
        ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF])
        : bytes;
      if (bytes.length > 0 && !connection.write(sent)) context.body.flow(false);
    },
    end(trailers) {
      if (connection === undefined) return;
      if (requestFraming(context).kind === 'chunked') {
        connection.writeText(`0\r\n${trailerLines(trailers)}\r\n`);
      }
      connection.sent();
    },
  };

  function startAnswer(head: ResponseHead): void {
    const { fields, status } = head;
    const response = { status, fields, source: 'upstream' as const };
    context.response = response;
    if (status >= 500 || parts.showsUpstreamStatus) {
      fields.set('X-APISIX-Upstream-Status', context.variable('upstream_status') ?? '');
    }
    filter = parts.bodyFilter(context);
    parts.headerFilter(context);
    client.writeHead(context.response.status, fields, framingOf(head));
    // Without a body to come there is no flush: the end follows.
  }

  function framingOf(head: ResponseHead): AnswerFraming {
    const { status } = context.response ?? head;
    isBodyless = context.head.method === 'HEAD' || status === 204 || status === 304;
    if (isBodyless) {
      if (status === 204) head.fields.remove('content-length');
      return 'none';
    }
    if (head.fields.has('content-length')) return 'length';
    if (head.framing.kind === 'none' && filter === undefined) {
      head.fields.set('Content-Length', '0');
      return 'length';
    }
    return 'chunked';
  }

  function switchProtocols(head: ResponseHead): void {
    if (connection === undefined) return;
    if (upgrade === undefined) {
      // Nobody asked for it: what follows could not be framed.
      connection.destroy();
      hasHead = false;
      giveUp(502);
      return;
    }
    context.response = { status: 101, fields: head.fields, source: 'upstream' };
    parts.headerFilter(context);
    client.listen(undefined);
    const { socket: node, rest: fromNode } = connection.takeOver();
    const { socket: peer, rest: fromPeer } = client.upgrade(head.fields);
    if (fromNode.length > 0) peer.write(fromNode);
    if (fromPeer.length > 0) node.write(fromPeer);
    join(peer, node, over);
  }

  client.listen({
    gone() {
      if (isOver) return;
      connection?.destroy();
      over();
    },
    drained: () => connection?.resume(),
  });
  const waiting = upstream.ready();
  if (waiting === undefined) tryNext();
  else
    void waiting.then(() => {
      if (!isOver) tryNext();
    });
}

/** Octets both ways until either side ends; `whenOver` once. */
function join(one: Socket, other: Socket, whenOver: () => void): void {
  let isOver = false;
  const end = (): void => {
    one.destroy();
    other.destroy();
    if (isOver) return;
    isOver = true;
    whenOver();
  };
  for (const socket of [one, other]) {
    socket.on('error', end);
    socket.on('close', end);
  }
  one.pipe(other);
  other.pipe(one);
}
