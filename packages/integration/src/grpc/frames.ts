import { isEncoding, unpack } from '../door/body.ts';

// Length-prefixed messages. Source: gRPC, "gRPC over HTTP2": a flag, four bytes of length, the message.

export type Frame =
  | { readonly kind: 'frame'; readonly isPacked: boolean; readonly bytes: Buffer }
  | { readonly kind: 'too-large'; readonly size: number }
  | { readonly kind: 'corrupt'; readonly reason: string };

export interface FrameReader {
  /** Takes in a piece of the stream; answers the messages that are whole now. */
  push(chunk: Buffer): Frame[];
  /** Bytes of a message that is not whole. */
  readonly held: number;
}

const PREFIX_BYTES = 5;

export function createFrameReader(bytesMax: number): FrameReader {
  let chunks: Buffer[] = [];
  let held = 0;

  function next(): Frame | undefined {
    if (held < PREFIX_BYTES) return undefined;
    const first = chunks[0];
    const isShort = first === undefined || first.length < PREFIX_BYTES;
    const all = isShort ? Buffer.concat(chunks, held) : first;
    if (isShort) chunks = [all];
    const flag = all[0] ?? 0;
    const size = all.readUInt32BE(1);
    if (flag > 1) return { kind: 'corrupt', reason: `a message with flag ${flag}` };
    if (size > bytesMax) return { kind: 'too-large', size };
    if (held < PREFIX_BYTES + size) return undefined;
    const whole = chunks.length === 1 ? all : Buffer.concat(chunks, held);
    const rest = whole.subarray(PREFIX_BYTES + size);
    chunks = rest.length === 0 ? [] : [rest];
    held = rest.length;
    const bytes = whole.subarray(PREFIX_BYTES, PREFIX_BYTES + size);
    return { kind: 'frame', isPacked: flag === 1, bytes };
  }

  return {
    push: (chunk) => {
      chunks.push(chunk);
      held += chunk.length;
      const frames: Frame[] = [];
      for (let frame = next(); frame !== undefined; frame = next()) {
        frames.push(frame);
        if (frame.kind !== 'frame') break;
      }
      return frames;
    },
    get held() {
      return held;
    },
  };
}

export type Message =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'fault'; readonly isTooLarge: boolean; readonly reason: string };

/** The message of a frame, unpacked as `encoding` says. */
export async function messageOf(
  frame: Extract<Frame, { kind: 'frame' }>,
  encoding: string,
  bytesMax: number,
): Promise<Message> {
  if (!frame.isPacked) return { kind: 'message', bytes: frame.bytes };
  if (!isEncoding(encoding)) {
    const reason = `a packed message, but grpc-encoding is ${encoding}`;
    return { kind: 'fault', isTooLarge: false, reason };
  }
  const unpacked = await unpack(frame.bytes, encoding, bytesMax);
  if (unpacked.kind === 'body') return { kind: 'message', bytes: unpacked.bytes };
  const { status, message } = unpacked.fault;
  return { kind: 'fault', isTooLarge: status === 413, reason: message };
}

/** `10S`, `250m`: milliseconds, or undefined. Source: gRPC over HTTP2, grpc-timeout. */
export function timeoutMs(header: string | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(header ?? '') ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const scales: Readonly<Record<string, number>> = {
    H: 3_600_000,
    M: 60_000,
    S: 1_000,
    m: 1,
    u: 1e-3,
    n: 1e-6,
  };
  return Math.ceil(Number(digits) * (scales[unit] ?? 1));
}
