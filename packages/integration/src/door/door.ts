import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Accounts, createAccounts, type SenderAccount } from './accounts.ts';
import {
  BODIES_FULL,
  type BodyLimits,
  createByteBudget,
  ENCODINGS,
  isEncoding,
  readBody,
  unpack,
} from './body.ts';
import { type Answer, type Fault, faultAnswer, type Received, type Receiver } from './receiver.ts';

export interface DoorOptions {
  readonly receivers: readonly Receiver[];
  /** Bearer token that every request must carry; undefined: none. */
  readonly token: string | undefined;
  readonly limits?: Partial<DoorLimits>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface DoorLimits extends BodyLimits {
  /** Of all bodies held at one time, packed and unpacked. */
  readonly bodiesBytesMax: number;
}
export const DOOR_DEFAULTS: DoorLimits = {
  bodyBytesMax: 64e6,
  bodyTimeoutMs: 30_000,
  bodiesBytesMax: 256e6,
};

/** Where telemetry of others comes in: one request pipeline for every receiver. */
export interface Door {
  readonly paths: readonly string[];
  /** True when a receiver has the path of `url`: whatever the method, unless it shares its paths. */
  knows(url: string, method: string): boolean;
  /** The request carries the token, or none is asked for. */
  isAllowed(request: IncomingMessage): boolean;
  /** Answers the request, whatever it is: 404 names the paths there are. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  counters(): Record<string, number>;
  senders(): SenderAccount[];
  /** Where requests that come by other ways, such as gRPC, are booked too. */
  readonly accounts: Accounts;
}

/** Time for a sender to read the answer while it still sends a body that nobody wants. */
const LINGER_MS = 2_000;

/** A sender is never sent back without a time, whatever its receiver says. */
const RETRY_SOON = { 'retry-after': '1' };

/** Telemetry packs 7 to 15 times; a bomb's surplus is bounded by the threads that unpack. */
const RATIO_EXPECTED = 16;

/** Throws when two receivers claim one path: our own mistake. */
export function createDoor(options: DoorOptions): Door {
  const limits = { ...DOOR_DEFAULTS, ...options.limits };
  const budget = createByteBudget(limits.bodiesBytesMax);
  const accounts = createAccounts(options.now);
  const wanted = options.token === undefined ? undefined : Buffer.from(`Bearer ${options.token}`);
  const byPath = new Map<string, Receiver>();
  for (const receiver of options.receivers) {
    for (const path of receiver.paths) {
      const other = byPath.get(path);
      if (other !== undefined) {
        throw new Error(`BUG: ${path} of ${receiver.name} is ${other.name}'s`);
      }
      byPath.set(path, receiver);
    }
  }
  const paths = [...byPath.keys()];

  function isAllowed({ headers }: IncomingMessage): boolean {
    if (wanted === undefined) return true;
    const given = Buffer.from(headers.authorization ?? '');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = targetOf(request.url ?? '');
    const receiver = byPath.get(target.path);
    const sender = request.socket.remoteAddress ?? '';
    const visit: Visit = {
      request,
      receiver,
      ...target,
      mediaType: mediaTypeOf(request),
      bytes: 0,
    };
    let answer: Answer | undefined;
    try {
      const outcome = await answerOf(visit);
      if (outcome === undefined) {
        book(accounts, visit, sender, { status: 499, reason: 'aborted' });
        return;
      }
      answer = 'code' in outcome ? say(receiver, outcome, visit.mediaType) : outcome;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      answer = say(receiver, { status: 500, code: 'internal', message }, visit.mediaType);
    }
    book(accounts, visit, sender, answer);
    respond(request, response, answer);
  }

  /** An answer, a fault, or undefined when the sender is gone. */
  async function answerOf(visit: Visit): Promise<Answer | Fault | undefined> {
    const { request, receiver } = visit;
    if (receiver === undefined) {
      const message = `nothing is received at ${visit.path.slice(0, 200)}; try ${paths.join(', ')}`;
      return { status: 404, code: 'path_not_found', message };
    }
    if (!isAllowed(request)) {
      const message = 'a token is asked for: send Authorization: Bearer TOKEN';
      return { status: 401, code: 'unauthorized', message };
    }
    const fault = headFault(visit, receiver);
    if (fault !== undefined) return fault;
    const bodyBytesMax = Math.min(limits.bodyBytesMax, receiver.bodyBytesMax ?? Infinity);
    const body = await readBody(request, { ...limits, bodyBytesMax }, budget);
    if (body.kind === 'aborted') return undefined;
    if (body.kind === 'fault') return body.fault;
    const packed = body.bytes.length;
    visit.bytes = packed;
    try {
      return await unpackAndHandle(visit, receiver, body.bytes, bodyBytesMax);
    } finally {
      budget.give(packed);
    }
  }

  async function unpackAndHandle(
    visit: Visit,
    receiver: Receiver,
    packed: Buffer,
    bytesMax: number,
  ): Promise<Answer | Fault> {
    const { request, path, query, mediaType } = visit;
    const encoding = encodingOf(request);
    const { headers, method = '' } = request;
    const sender = request.socket.remoteAddress ?? '';
    const received = (body: Buffer): Received => {
      return { method, path, query, headers, mediaType, body, sender };
    };
    if (!isEncoding(encoding)) return receiver.handle(received(packed));
    const expected = Math.min(packed.length * RATIO_EXPECTED, bytesMax);
    if (!budget.take(expected)) return BODIES_FULL;
    const unpacked = await unpack(packed, encoding, bytesMax);
    budget.give(expected);
    if (unpacked.kind !== 'body') return unpacked.fault;
    if (!budget.take(unpacked.bytes.length)) return BODIES_FULL;
    try {
      return await receiver.handle(received(unpacked.bytes));
    } finally {
      budget.give(unpacked.bytes.length);
    }
  }

  return {
    paths,
    knows: (url, method) => {
      const receiver = byPath.get(targetOf(url).path);
      if (receiver === undefined) return false;
      return receiver.sharesPaths !== true || methodsOf(receiver).includes(method);
    },
    isAllowed,
    handle,
    counters: () => ({ ...accounts.counters(), 'bodies.bytes': budget.taken }),
    senders: accounts.senders,
    accounts,
  };
}

interface Visit {
  readonly request: IncomingMessage;
  readonly receiver: Receiver | undefined;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly mediaType: string;
  bytes: number;
}

function headFault({ request, mediaType }: Visit, receiver: Receiver): Fault | undefined {
  const methods = methodsOf(receiver);
  if (!methods.includes(request.method ?? '')) {
    const message = `${receiver.name} takes ${methods.join(' and ')}, not ${request.method}`;
    return { status: 405, code: 'method_not_allowed', message };
  }
  const { mediaTypes } = receiver;
  if (mediaTypes !== undefined && mediaType !== '' && !mediaTypes.includes(mediaType)) {
    const message = `cannot read ${mediaType}; send ${mediaTypes.join(' or ')}`;
    return { status: 415, code: 'media_type_unsupported', message };
  }
  const encoding = encodingOf(request);
  const raw = receiver.rawEncodings ?? [];
  if (encoding === 'identity' || isEncoding(encoding) || raw.includes(encoding)) return undefined;
  const message = `cannot unpack ${encoding}; send ${[...raw, ...ENCODINGS].join(', ')} or none`;
  return { status: 415, code: 'encoding_unsupported', message };
}

const methodsOf = ({ methods = ['POST'] }: Receiver): readonly string[] => methods;

function say(receiver: Receiver | undefined, fault: Fault, mediaType: string): Answer {
  const { retryAfterS, code } = fault;
  const answer = receiver?.fault?.(fault, mediaType) ?? faultAnswer(fault);
  const isMethod = fault.status === 405 && receiver !== undefined;
  const allow = isMethod ? { allow: methodsOf(receiver).join(', ') } : {};
  const retry = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  return { reason: code, ...answer, headers: { ...allow, ...retry, ...answer.headers } };
}

function book(accounts: Accounts, visit: Visit, sender: string, answer: Answer): void {
  const { rows = 0, rejected = 0, reason = '', status } = answer;
  const receiver = visit.receiver?.name ?? 'none';
  accounts.add({ receiver, sender, status, bytes: visit.bytes, rows, rejected, reason });
}

function respond(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, body = '', mediaType, headers } = answer;
  const isRead = request.complete;
  response.writeHead(status, {
    ...(mediaType === undefined ? {} : { 'content-type': mediaType }),
    'content-length': Buffer.byteLength(body),
    ...(status === 429 || status === 503 ? RETRY_SOON : {}),
    ...headers,
    ...(isRead ? {} : { connection: 'close' }),
  });
  if (isRead) response.end(body);
  else endWhenRead(request, response, body);
}

/**
 * The answer is on its way, whole, and what still comes is read away for a while: a connection that
 * ends before is reset, and the reset overtakes the answer.
 */
function endWhenRead(request: IncomingMessage, response: ServerResponse, body: Body): void {
  if (body.length === 0) response.flushHeaders();
  else response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end);
  request.socket.once('close', end);
  request.resume();
}

type Body = NonNullable<Answer['body']>;

function encodingOf({ headers }: IncomingMessage): string {
  const name = (headers['content-encoding'] ?? '').trim().toLowerCase();
  return name === '' ? 'identity' : name;
}

function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** The path without repeated slashes (some clients join them) and without one at its end. */
function targetOf(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?');
  const path = (mark < 0 ? url : url.slice(0, mark)).replace(/\/{2,}/g, '/');
  return {
    path: path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path,
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
  };
}
