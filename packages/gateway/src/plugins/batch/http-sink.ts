import { Agent as PlainAgent, request as plainRequest, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { timerMs } from '../../core/timer-ms.ts';
import type { SendFailure } from './batch-processor.ts';

export interface HttpSinkOptions {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly verifiesTls: boolean;
  /** Whether a status says that the body was taken. */
  isTaken(status: number): boolean;
  /** Whether what was refused with this status may be sent again. */
  mayRetry(status: number): boolean;
}

/** Posts bodies to one URL over kept connections. */
export interface HttpSink {
  post(
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>>,
  ): Promise<SendFailure | undefined>;
  close(): void;
}

const SOCKETS_MAX = 8;

export function createHttpSink(options: HttpSinkOptions): HttpSink {
  const { url } = options;
  const timeoutMs = timerMs(options.timeoutMs);
  const isTls = url.protocol === 'https:';
  const pool = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const agent = isTls
    ? new TlsAgent({ ...pool, rejectUnauthorized: options.verifiesTls })
    : new PlainAgent(pool);
  const request = isTls ? tlsRequest : plainRequest;

  return {
    post(body, headers) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      const about: RequestOptions = {
        agent,
        method: 'POST',
        timeout: timeoutMs,
        headers: { 'Content-Length': bytes.length, ...headers },
      };
      return new Promise((resolve) => {
        const failed = (error: Error): void =>
          resolve({ reason: `${url.host}: ${error.message}`, mayRetry: true });
        const sent = request(url, about, (response) => {
          const status = response.statusCode ?? 0;
          response.on('error', failed);
          response.resume();
          response.on('end', () => {
            if (options.isTaken(status)) resolve(undefined);
            else {
              const mayRetry = options.mayRetry(status);
              resolve({ reason: `${url.host} answered ${status}`, mayRetry });
            }
          });
        });
        sent.on('timeout', () => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)));
        sent.on('error', failed);
        sent.end(bytes);
      });
    },
    close: () => agent.destroy(),
  };
}
