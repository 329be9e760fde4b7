import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ClientConnection, ClientListener, ClientParts } from '../http/client-connection.ts';
import type { RequestHead } from '../http/head.ts';
import type { HeaderFields } from '../http/header-fields.ts';
import { createRequestBody } from '../request-body.ts';
import { type Peer, RequestContext } from '../request-context.ts';
import { fieldsOf, outgoing, outgoingTrailers } from './fields.ts';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;
const NEVER = Number.POSITIVE_INFINITY;

/** One request of an HTTP/2 connection; `check` ends it when the client takes too long. */
export interface ServedStream {
  check(nowMs: number): void;
}

/** Hands one stream to the pipeline as if it were a connection of its own. */
export function serveStream(
  stream: ServerHttp2Stream,
  head: RequestHead,
  peer: Peer,
  parts: ClientParts,
): ServedStream {
  const { settings, now } = parts;
  let listener: ClientListener | undefined;
  let pending: ReturnType<typeof outgoing> | undefined;
  let trailers: HeaderFields | undefined;
  let sentTrailers: HeaderFields | undefined;
  let isAnswered = false;
  let hasBody = true;
  let received = 0;
  const reading = (): number => (body.isEnded() ? NEVER : now() + settings.bodyTimeoutMs);

  const body = createRequestBody(head.framing, {
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    want: () => {
      if (head.expectsContinue && !stream.headersSent) stream.additionalHeaders({ ':status': 100 });
    },
  });
  const context = new RequestContext(peer, head, body, parts.preciseNow());
  context.receivedBytes = head.size;
  let deadlineMs = reading();

  /** The head waits for what follows, so that an answer without body ends with it. */
  function sendHead(isEnd: boolean): void {
    if (pending === undefined || stream.destroyed) return;
    const headers = pending;
    pending = undefined;
    stream.respond(headers, isEnd ? { endStream: true } : { waitForTrailers: true });
  }

  function finish(): void {
    isAnswered = true;
    listener = undefined;
    deadlineMs = now() + settings.sendTimeoutMs;
    if (body.isEnded()) return;
    // The answer came before the end of the request: what still comes until the deadline is dropped.
    stream.removeListener('data', take);
    stream.resume();
  }

  const connection: ClientConnection = {
    listen(next) {
      listener = next;
    },
    writeHead(status, fields, framing) {
      hasBody = framing !== 'none';
      if (!fields.has('date')) fields.push('date', 'date', parts.date(now()));
      pending = { ':status': status, ...outgoing(fields, 0) };
      // Before compression, which only Node sees.
      for (const value of Object.values(pending)) context.sentBytes += String(value).length;
    },
    writeBody(bytes) {
      if (bytes.length === 0 || !hasBody || stream.destroyed) return true;
      sendHead(false);
      context.sentBytes += bytes.length;
      context.sentBodyBytes += bytes.length;
      // A copy: what is given is good during the call only, and a stream may keep it for later.
      const isReady = stream.write(Buffer.from(bytes));
      if (!isReady) deadlineMs = now() + settings.sendTimeoutMs;
      return isReady;
    },
    flush: () => sendHead(false),
    last() {
      // A stream carries one request; the others of its connection are framed apart from it.
    },
    end(given) {
      sentTrailers = given;
      sendHead(!hasBody || given === undefined);
      if (!stream.destroyed) stream.end();
      finish();
    },
    answer(status, fields, bytes) {
      const isBodyless = status === 204 || status === 304 || head.method === 'HEAD';
      if (status !== 204 && status !== 304 && !fields.has('content-length')) {
        fields.push('content-length', 'content-length', String(bytes.length));
      }
      connection.writeHead(status, fields, isBodyless ? 'none' : 'length');
      connection.writeBody(bytes);
      connection.end(undefined);
    },
    upgrade() {
      throw new Error('BUG: no protocol is switched within HTTP/2');
    },
    destroy: () => stream.close(NGHTTP2_INTERNAL_ERROR),
  };

  function take(bytes: Buffer): void {
    received += bytes.length;
    context.receivedBytes += bytes.length;
    deadlineMs = reading();
    if (head.framing.kind === 'length' && received > head.framing.bytes) {
      stream.close(NGHTTP2_PROTOCOL_ERROR);
    } else body.data(bytes);
  }

  stream.on('wantTrailers', () => {
    // Closing early ends the writing first: with trailers a cut answer would look whole.
    if (!stream.aborted) stream.sendTrailers(outgoingTrailers(sentTrailers));
  });
  stream.on('trailers', (headers) => {
    trailers = fieldsOf(headers);
  });
  stream.on('drain', () => {
    if (!isAnswered) deadlineMs = reading();
    listener?.drained();
  });
  stream.on('error', () => stream.close(NGHTTP2_CANCEL));
  stream.on('close', () => {
    body.fail();
    const waiting = listener;
    listener = undefined;
    waiting?.gone();
  });
  if (head.framing.kind === 'none') stream.resume();
  else {
    stream.on('data', take);
    stream.on('end', () => {
      const isShort = head.framing.kind === 'length' && received < head.framing.bytes;
      // A stream that was reset ends too: its body is not whole.
      if (stream.aborted || isShort || isAnswered) return;
      body.end(trailers);
      deadlineMs = NEVER;
    });
  }
  parts.handle(context, connection);

  return {
    check(nowMs) {
      if (nowMs >= deadlineMs) stream.close(NGHTTP2_CANCEL);
    },
  };
}
