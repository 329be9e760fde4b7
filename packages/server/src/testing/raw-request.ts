import { request } from 'node:http';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

const GIVE_UP_MS = 60_000;
const CHUNK_BYTES = 2 ** 20;

/**
 * Posts with no client's niceties: the answer counts also when it comes before the body is sent.
 * `isChunked`: the length is not told. Rejects when there is no answer within a minute.
 */
export function rawPost(
  url: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
  isChunked = false,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const length = isChunked ? {} : { 'content-length': String(body.length) };
    const options = { method: 'POST', agent: false, headers: { ...headers, ...length } };
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        clearTimeout(timer);
        sent.destroy();
        const { statusCode: status = 0, headers: answered } = response;
        const text = Buffer.concat(chunks).toString();
        resolve({ status, retryAfter: answered['retry-after'], text });
      });
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer of ${url}`)), GIVE_UP_MS);
    sent.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    for (let at = 0; at < body.length; at += CHUNK_BYTES) {
      sent.write(body.subarray(at, at + CHUNK_BYTES));
    }
    sent.end();
  });
}

/**
 * Writes the text and sends nothing more; resolves to all that came when the server closes or resets.
 * Rejects when the server keeps it open for longer than `giveUpMs`.
 */
export function rawTalk(url: string, text: string, giveUpMs = GIVE_UP_MS): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(new Error(`${url} keeps it open`)), giveUpMs);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error) => {
      if (!('code' in error) || (error.code !== 'ECONNRESET' && error.code !== 'EPIPE'))
        reject(error);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString());
    });
  });
}
