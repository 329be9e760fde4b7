import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type ByteBudget, ENCODINGS, isEncoding } from '../door/body.ts';
import { createFrameReader, type Frame, messageOf, timeoutMs } from './frames.ts';
import { GRPC, type GrpcAnswer, type GrpcMethod } from './grpc-method.ts';

export interface CallLimits {
  /** Of one message, packed and unpacked alike. */
  readonly messageBytesMax: number;
  /** Without a deadline of the caller's, and at most: a unary call takes no longer. */
  readonly callTimeoutMs: number;
}

export interface CallResult {
  readonly answer: GrpcAnswer;
  readonly bytes: number;
}

type Fault = Exclude<GrpcAnswer, { code: 0 }>;

const UNARY_MESSAGES = 1;

/**
 * Reads the call's messages and has the method handle those that came together; the stream is paused
 * meanwhile. Undefined when the caller went away. Never rejects.
 */
export function runCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: GrpcMethod,
  limits: CallLimits,
  budget: ByteBudget,
): Promise<CallResult | undefined> {
  const encoding = String(headers['grpc-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && !isEncoding(encoding)) {
    const text = `cannot unpack ${encoding}; send ${ENCODINGS.join(', ')} or none`;
    return Promise.resolve(faultResult(GRPC.unimplemented, 'encoding_unsupported', text));
  }
  return new Promise((resolve) => {
    const reader = createFrameReader(limits.messageBytesMax);
    let work: Promise<void> = Promise.resolve();
    let last: GrpcAnswer | undefined;
    let bytes = 0;
    let held = 0;
    let messages = 0;
    let isOver = false;
    const deadline = deadlineOf(headers, method, limits);
    const timer =
      deadline === undefined
        ? undefined
        : setTimeout(() => {
            const text = `the call took longer than ${deadline} ms`;
            end(fault(GRPC.deadlineExceeded, 'deadline', text));
          }, deadline);

    function end(answer: GrpcAnswer | undefined): void {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      budget.give(held);
      held = 0;
      stream.removeListener('data', onData);
      stream.resume();
      resolve(answer === undefined ? undefined : { answer, bytes });
    }

    async function handle(frame: Frame): Promise<void> {
      if (isOver) return;
      const answer = await answerTo(frame, encoding, method, limits);
      messages += 1;
      if (answer.code !== GRPC.ok) end(answer);
      last = answer;
    }

    function onData(chunk: Buffer): void {
      bytes += chunk.length;
      if (!budget.take(chunk.length)) {
        end({ ...fault(GRPC.resourceExhausted, 'bodies_full', 'too many calls'), retryAfterS: 1 });
        return;
      }
      held += chunk.length;
      const frames = reader.push(chunk);
      if (frames.length === 0) return;
      stream.pause();
      work = work
        // Together: they share one write to disk.
        .then(() => Promise.all(frames.map(handle)))
        .then(() => undefined)
        .catch((error: unknown) => {
          const text = error instanceof Error ? error.message : String(error);
          end(fault(GRPC.internal, 'internal', text));
        })
        .then(() => {
          if (isOver) return;
          budget.give(held - reader.held);
          held = reader.held;
          stream.resume();
        });
    }

    stream.on('data', onData);
    stream.on('end', () => {
      void work.then(() => end(finalAnswer(method, messages, reader.held, last)));
    });
    stream.on('aborted', () => end(undefined));
    stream.on('error', () => end(undefined));
    stream.on('close', () => void work.then(() => end(undefined)));
  });
}

/** A stream of a client lives as long as the client says; a single call is bounded. */
function deadlineOf(
  headers: IncomingHttpHeaders,
  method: GrpcMethod,
  { callTimeoutMs }: CallLimits,
): number | undefined {
  const asked = timeoutMs(headers['grpc-timeout']?.toString());
  if (method.kind === 'client-stream') return asked;
  return Math.min(asked ?? callTimeoutMs, callTimeoutMs);
}

async function answerTo(
  frame: Frame,
  encoding: string,
  method: GrpcMethod,
  { messageBytesMax }: CallLimits,
): Promise<GrpcAnswer> {
  if (frame.kind === 'corrupt') return fault(GRPC.invalidArgument, 'frame_corrupt', frame.reason);
  if (frame.kind === 'too-large') return tooLarge(`${frame.size} bytes`, messageBytesMax);
  const message = await messageOf(frame, encoding, messageBytesMax);
  if (message.kind === 'message') return method.handle(message.bytes);
  if (message.isTooLarge) return tooLarge('more, unpacked', messageBytesMax);
  return fault(GRPC.invalidArgument, 'body_corrupt', message.reason);
}

function finalAnswer(
  method: GrpcMethod,
  messages: number,
  held: number,
  last: GrpcAnswer | undefined,
): GrpcAnswer {
  if (held > 0) return fault(GRPC.invalidArgument, 'frame_corrupt', 'a message is cut off');
  const isWrong = method.kind === 'unary' && messages !== UNARY_MESSAGES;
  if (isWrong || last === undefined) {
    return fault(GRPC.invalidArgument, 'frame_corrupt', `${messages} messages in the call`);
  }
  return last;
}

function tooLarge(size: string, most: number): Fault {
  const text = `a message of ${size}, the most is ${most}`;
  return fault(GRPC.resourceExhausted, 'body_too_large', text);
}

export function fault(code: Fault['code'], reason: string, text: string): Fault {
  return { code, reason, text };
}

function faultResult(code: Fault['code'], reason: string, text: string): CallResult {
  return { answer: fault(code, reason, text), bytes: 0 };
}
