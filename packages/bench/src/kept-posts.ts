import { connect, type Socket } from 'node:net';

/**
 * Posts bodies to one path over connections that are kept, one request at a time on each. On bare
 * sockets: node:http costs the load's process as much for a body of 2,000 samples, or for a quick
 * query, as the fastest store takes for it, on the same cores.
 */
export interface KeptPosts {
  /**
   * Rejects when the connection ends before the answer does, or the answer has neither a length nor
   * chunks. After an answer with `Connection: close` the next one goes over another connection.
   */
  post(body: Uint8Array): Promise<PostAnswer>;
  close(): void;
}

export interface PostAnswer {
  readonly status: number;
  readonly text: string;
}

/** A server may end a connection that was idle for seconds just when it is to be used. */
const IDLE_MS_MAX = 1_000;

interface Line {
  readonly socket: Socket;
  idleSinceMs: number;
  onAnswer: (answer: PostAnswer) => void;
  onFault: (fault: Error) => void;
}

export function createKeptPosts(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): KeptPosts {
  const lines = [`POST ${path} HTTP/1.1`, `host: 127.0.0.1:${port}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const head = `${lines.join('\r\n')}\r\ncontent-length: `;
  const all = new Set<Socket>();
  const idle: Line[] = [];

  function open(): Line {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const line: Line = {
      socket,
      idleSinceMs: 0,
      onAnswer: () => undefined,
      onFault: () => undefined,
    };
    all.add(socket);
    let pieces: Buffer[] = [];
    let size = 0;
    let sizeMin = 0;
    socket.on('data', (piece) => {
      pieces.push(piece);
      size += piece.length;
      if (size < sizeMin) return;
      const read = pieces.length === 1 ? piece : Buffer.concat(pieces, size);
      const answer = answerOf(read);
      if (typeof answer === 'number') {
        pieces = [read];
        sizeMin = answer;
        return;
      }
      pieces = [];
      size = 0;
      sizeMin = 0;
      if (answer === 'unframed') line.onFault(new Error('an answer without a length'));
      else {
        if (answer.isLast) line.socket.destroy();
        line.onAnswer(answer);
      }
    });
    socket.on('error', (fault) => line.onFault(fault));
    socket.on('close', () => {
      all.delete(socket);
      const at = idle.indexOf(line);
      if (at >= 0) idle.splice(at, 1);
      line.onFault(new Error('the connection ended before the answer'));
    });
    return line;
  }

  function freshIdle(): Line | undefined {
    const line = idle.pop();
    if (line === undefined || performance.now() - line.idleSinceMs < IDLE_MS_MAX) return line;
    line.socket.destroy();
    return freshIdle();
  }

  return {
    post: (body) =>
      new Promise((resolve, reject) => {
        const line = freshIdle() ?? open();
        line.onFault = reject;
        line.onAnswer = (answer) => {
          line.idleSinceMs = performance.now();
          line.onFault = () => undefined;
          if (!line.socket.destroyed) idle.push(line);
          resolve(answer);
        };
        line.socket.cork();
        line.socket.write(`${head}${body.length}\r\n\r\n`, 'latin1');
        line.socket.write(body);
        line.socket.uncork();
      }),
    close: () => {
      for (const socket of all) socket.destroy();
    },
  };
}

interface WholeAnswer extends PostAnswer {
  /** The server closes the connection behind it. */
  readonly isLast: boolean;
}

/** A number: it is not whole, and cannot be with fewer bytes. */
function answerOf(bytes: Buffer): WholeAnswer | number | 'unframed' {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const head = bytes.toString('latin1', 0, end);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  const isLast = /^connection: *close\r?$/im.test(head);
  const from = end + 4;
  if (/^transfer-encoding: *chunked/im.test(head)) {
    const text = chunkedText(bytes, from);
    return typeof text === 'number' || text === 'unframed' ? text : { status, isLast, ...text };
  }
  const length = status === 204 ? '0' : /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length === undefined) return 'unframed';
  const whole = from + Number(length);
  if (bytes.length < whole) return whole;
  return { status, isLast, text: bytes.toString('utf8', from, whole) };
}

/** Source: RFC 9112 §7.1. Without extensions and trailers, which none of the stores sends. */
function chunkedText(bytes: Buffer, from: number): { text: string } | number | 'unframed' {
  const chunks: Buffer[] = [];
  for (let at = from; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return at;
    const length = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(length)) return 'unframed';
    const next = line + 2 + length + 2;
    if (bytes.length < next) return next;
    if (length === 0) return { text: Buffer.concat(chunks).toString('utf8') };
    chunks.push(bytes.subarray(line + 2, line + 2 + length));
    at = next;
  }
}
