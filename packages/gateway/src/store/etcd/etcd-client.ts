import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JsonObject, objectOf } from './etcd-messages.ts';

/** Where etcd is and how it is spoken to. Times in seconds. */
export interface EtcdSettings {
  readonly hosts: readonly string[];
  readonly prefix: string;
  readonly timeout: number;
  readonly watch_timeout: number;
  /** Tries after the first at the start. */
  readonly startup_retry: number;
  readonly user?: string;
  readonly password?: string;
  /** PEM texts. */
  readonly tls: {
    readonly ca: readonly string[] | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly verify: boolean;
    readonly sni: string | undefined;
  };
}

/** etcd does not answer, or refuses. Its text is for people; `code` is the command's exit. */
export class EtcdError extends Error {
  readonly code = 'unavailable';
  readonly fix = 'check deployment.etcd in the configuration and that etcd runs and answers there';
}

/** etcd v3 through the JSON gateway that every member has beside gRPC. */
export interface EtcdClient {
  /** One call, such as `kv/put`; another member is asked when one cannot be connected to. */
  call(method: string, body: JsonObject): Promise<JsonObject>;
  /**
   * A call whose answer does not end. Resolves when it ended or nothing came for `idleMs`;
   * rejects when it broke. `take` answers false to end it.
   */
  stream(method: string, body: JsonObject, take: (result: JsonObject) => boolean): Promise<void>;
  close(): void;
}

/** One answer, or one message of a stream: etcd's own bound for a request is 1.5 MiB. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const UNAUTHENTICATED = 16;
/** Errors of a member that never got the request. */
const NOT_CONNECTED: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);

export function createEtcdClient(settings: EtcdSettings, idleMs: number): EtcdClient {
  const { hosts, user, password = '', tls } = settings;
  const timeoutMs = settings.timeout * 1_000;
  const plain = new HttpAgent({ keepAlive: true });
  const secure = new HttpsAgent({
    keepAlive: true,
    ...(tls.ca === undefined ? {} : { ca: [...tls.ca] }),
    cert: tls.cert,
    key: tls.key,
    rejectUnauthorized: tls.verify,
    ...(tls.sni === undefined ? {} : { servername: tls.sni }),
  });
  const closing = new AbortController();
  let first = 0;
  let token: string | undefined;

  /** The answer's head. Members are asked in turn until one can be connected to. */
  async function open(method: string, body: JsonObject): Promise<IncomingMessage> {
    let failure: unknown;
    for (let i = 0; i < hosts.length; i++) {
      const at = (first + i) % hosts.length;
      try {
        const answer = await send(hosts[at] ?? '', method, body);
        first = at;
        return answer;
      } catch (error) {
        failure = error;
        if (!(error instanceof Error && 'code' in error && NOT_CONNECTED.has(error.code))) break;
      }
    }
    // A member that fails otherwise is not asked first the next time.
    first = (first + 1) % hosts.length;
    throw new EtcdError(`etcd at ${hosts.join(', ')} does not answer: ${reasonOf(failure)}`, {
      cause: failure,
    });
  }

  function send(host: string, method: string, body: JsonObject): Promise<IncomingMessage> {
    const url = new URL(`/v3/${method}`, host);
    const text = JSON.stringify(body);
    const isTls = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (isTls ? requestHttps : requestHttp)(url, {
        method: 'POST',
        agent: isTls ? secure : plain,
        signal: closing.signal,
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(text),
          ...(token === undefined ? {} : { Authorization: token }),
        },
      });
      request.setTimeout(timeoutMs, () =>
        request.destroy(new Error(`no answer within ${settings.timeout} s`)),
      );
      request.on('response', resolve);
      request.on('error', reject);
      request.end(text);
    });
  }

  async function authenticate(): Promise<void> {
    token = undefined;
    const answer = await read(await open('auth/authenticate', { name: user, password }));
    token = String(answer['token'] ?? '');
  }

  /** `attempt`, and once more with a new token when etcd no longer knows the one that was sent. */
  async function authenticated<Value>(attempt: () => Promise<Value>): Promise<Value> {
    if (user === undefined) return attempt();
    if (token === undefined) await authenticate();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RefusedError && error.status === UNAUTHENTICATED)) throw error;
      await authenticate();
      return attempt();
    }
  }

  return {
    call: (method, body) => authenticated(async () => read(await open(method, body))),
    stream: (method, body, take) =>
      authenticated(async () => {
        const answer = await open(method, body);
        if (answer.statusCode !== 200) await read(answer);
        answer.socket.setTimeout(idleMs, () => answer.destroy());
        await readStream(answer, take);
      }),
    close() {
      closing.abort();
      plain.destroy();
      secure.destroy();
    },
  };
}

/** etcd has answered that it will not. `status` is gRPC's. */
export class RefusedError extends EtcdError {
  readonly status: number;

  constructor(message: string, status: number) {
    super(`etcd refuses: ${message}`);
    this.status = status;
  }
}

async function read(answer: IncomingMessage): Promise<JsonObject> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > ANSWER_BYTES_MAX) throw new Error(`an answer is over ${ANSWER_BYTES_MAX} bytes`);
      pieces.push(piece);
    }
  } catch (cause) {
    throw new EtcdError(`etcd broke off its answer: ${reasonOf(cause)}`, { cause });
  }
  const body = parsed(Buffer.concat(pieces).toString());
  if (answer.statusCode === 200) return body;
  const message = String(body['message'] ?? body['error'] ?? `status ${answer.statusCode}`);
  throw new RefusedError(message, Number(body['code'] ?? 0));
}

/** One JSON object a line; ends when `take` says so, or with the answer. */
async function readStream(
  answer: IncomingMessage,
  take: (result: JsonObject) => boolean,
): Promise<void> {
  let held = '';
  answer.setEncoding('utf8');
  try {
    for await (const piece of answer as AsyncIterable<string>) {
      const lines = (held + piece).split('\n');
      held = lines.pop() ?? '';
      if (held.length > ANSWER_BYTES_MAX) throw new Error('a message of a watch is too long');
      for (const line of lines) {
        const message = parsed(line);
        const error = objectOf(message['error']);
        if (error['message'] !== undefined) {
          throw new RefusedError(String(error['message']), Number(error['grpc_code'] ?? 0));
        }
        if (!take(objectOf(message['result']))) return;
      }
    }
  } catch (cause) {
    if (cause instanceof EtcdError) throw cause;
    throw new EtcdError(`etcd broke off a watch: ${reasonOf(cause)}`, { cause });
  }
}

function parsed(text: string): JsonObject {
  try {
    return objectOf(JSON.parse(text));
  } catch (cause) {
    throw new EtcdError('what answers is not etcd: its answer is not JSON', { cause });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? error.name : error.message;
}

/** Waits, or less when `signal` is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
