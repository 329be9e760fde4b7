import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** What a server said to a post. */
export interface PostAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The beginning of its text. */
  readonly text: string;
}

export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  /** Not copied: it may not change until the answer. */
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

const TEXT_LENGTH_MAX = 4_096;

/**
 * Posts to http and https URLs, on one kept connection to each host. Redirects are not followed. The
 * promise rejects where no whole answer comes in time.
 *
 * Not `fetch`, which copies the body and passes it through streams: 8 ms of CPU for 2.3 MB, this 2 ms.
 */
export function createPoster(): (url: URL, post: Post) => Promise<PostAnswer> {
  const plain = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const secure = new HttpsAgent({ keepAlive: true, maxSockets: 1 });

  return (url, { headers, body, timeoutMs }) =>
    new Promise((resolve, reject) => {
      const options = {
        method: 'POST',
        headers: { ...headers, 'content-length': String(body.byteLength) },
        signal: AbortSignal.timeout(timeoutMs),
      };
      const take = (answer: IncomingMessage): void => {
        readText(answer).then(
          (text) =>
            resolve({
              status: answer.statusCode ?? 0,
              retryAfter: answer.headers['retry-after'],
              text,
            }),
          reject,
        );
      };
      const request =
        url.protocol === 'https:'
          ? requestHttps(url, { ...options, agent: secure }, take)
          : requestHttp(url, { ...options, agent: plain }, take);
      request.on('error', reject);
      request.end(body);
    });
}

async function readText(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    if (text.length < TEXT_LENGTH_MAX) text += String(chunk).slice(0, TEXT_LENGTH_MAX);
  }
  return text;
}
