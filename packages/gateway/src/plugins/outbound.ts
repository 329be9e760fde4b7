import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { asError } from '../core/as-error.ts';
import { timerMs } from '../core/timer-ms.ts';

export interface OutboundOptions {
  readonly timeoutMs: number;
  readonly verifiesTls: boolean;
  readonly keepAlive: boolean;
  readonly keepAliveMs: number;
  /** Idle connections kept to each host. */
  readonly idleMax: number;
}

export interface OutboundRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
}

export interface OutboundAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Small questions of plugins to services of their own, while a request waits for the answer. */
export interface Outbound {
  /** Redirects are answers like any other. An error says why there is none; it never rejects. */
  ask(request: OutboundRequest): Promise<OutboundAnswer | Error>;
  close(): void;
}

/** Of an answer; a longer one counts as a failure. */
const ANSWER_BYTES_MAX = 1 << 20;

export function createOutbound(options: OutboundOptions): Outbound {
  const idleMs = timerMs(options.keepAliveMs);
  const pool = {
    keepAlive: options.keepAlive,
    keepAliveMsecs: idleMs,
    maxFreeSockets: options.idleMax,
    timeout: idleMs,
  };
  const plain = new PlainAgent(pool);
  const tls = new TlsAgent({ ...pool, rejectUnauthorized: options.verifiesTls });

  return {
    ask({ url, method, headers, body }) {
      const answered = new Promise<OutboundAnswer | Error>((resolve) => {
        const isTls = url.startsWith('https:');
        const signal = AbortSignal.timeout(timerMs(options.timeoutMs));
        const about = { method, headers: safeHeaders(headers), agent: isTls ? tls : plain, signal };
        const sent = (isTls ? tlsRequest : plainRequest)(
          url,
          about,
          (response) => void collected(response).then(resolve),
        );
        sent.on('error', resolve);
        if (body !== undefined) sent.setHeader('Content-Length', body.length);
        sent.end(body);
      });
      // What Node refuses to send at all, such as a scheme.
      return answered.catch(asError);
    },
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}

/** Without octets that Node refuses to write in a field. */
function safeHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      value.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' '),
    ]),
  );
}

async function collected(response: IncomingMessage): Promise<OutboundAnswer | Error> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > ANSWER_BYTES_MAX) {
        response.destroy();
        return new Error(`an answer of more than ${ANSWER_BYTES_MAX} octets`);
      }
      pieces.push(piece);
    }
  } catch (error) {
    return asError(error);
  }
  const { statusCode: status = 502, headers } = response;
  return { status, headers, body: Buffer.concat(pieces) };
}
