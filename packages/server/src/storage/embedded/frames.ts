import type { Writable } from 'node:stream';

// Messages on the store's socket: the head's bytes and the body's bytes (u32 each, little endian),
// the head as JSON, the body as it is. Between our own two processes, of one version.

/** Takes both. */
const PREFIX_BYTES = 8;
const NO_BYTES = new Uint8Array(0);

export function writeFrame(socket: Writable, head: unknown, body: Uint8Array = NO_BYTES): void {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(body.length, 4);
  socket.cork();
  socket.write(Buffer.concat([prefix, text]));
  if (body.length > 0) socket.write(body);
  socket.uncork();
}

/**
 * Takes what comes from the socket, cut anywhere, and hands over each whole frame; the body is its
 * reader's to keep. Throws on a frame of more than `bytesMax`.
 */
export function createFrameReader(
  bytesMax: number,
  onFrame: (head: unknown, body: Buffer) => void,
): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = PREFIX_BYTES;

  return (chunk) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < wanted) return;
    let bytes = Buffer.concat(chunks, size);
    for (wanted = frameBytes(bytes); bytes.length >= wanted; wanted = frameBytes(bytes)) {
      const bodyFrom = PREFIX_BYTES + bytes.readUInt32LE(0);
      onFrame(
        JSON.parse(bytes.toString('utf8', PREFIX_BYTES, bodyFrom)),
        bytes.subarray(bodyFrom, wanted),
      );
      bytes = bytes.subarray(wanted);
    }
    if (wanted > bytesMax) throw new Error(`a frame of ${wanted} bytes, the most is ${bytesMax}`);
    chunks = bytes.length === 0 ? [] : [bytes];
    size = bytes.length;
  };
}

/** Bytes of the frame that begins here; of its prefix alone while that is not whole. */
function frameBytes(bytes: Buffer): number {
  if (bytes.length < PREFIX_BYTES) return PREFIX_BYTES;
  return PREFIX_BYTES + bytes.readUInt32LE(0) + bytes.readUInt32LE(4);
}
