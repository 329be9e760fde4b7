/** Flag and length before each message. Source: gRPC over HTTP/2, "Length-Prefixed-Message". */
const PREFIX_BYTES = 5;

export function frameOf(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The messages in `bytes`; undefined when one is cut short or compressed, which nobody asked for. */
export function messagesIn(bytes: Buffer): readonly Buffer[] | undefined {
  const messages: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < PREFIX_BYTES || bytes[at] !== 0) return undefined;
    const start = at + PREFIX_BYTES;
    at = start + bytes.readUInt32BE(at + 1);
    if (at > bytes.length) return undefined;
    messages.push(bytes.subarray(start, at));
  }
  return messages;
}
