import { connect, type Socket } from 'node:net';

/**
 * Posts bodies to one path over connections that are kept, one request at a time on each. On bare
 * sockets: node:http costs the load's process as much for a body of 2,000 samples as the fastest
 * store takes for it, on the same cores.
 */
export interface KeptPosts {
  /**
   * Rejects when the connection ends before the answer does, or the answer's head tells no length. After
   * an answer with `Connection: close` the next one goes over another connection.
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
    let read = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
      const answer = answerOf(read);
      if (answer === 'more') return;
      read = Buffer.alloc(0);
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

/** `more`: not all of it is there yet. `isLast`: the server closes the connection behind it. */
function answerOf(bytes: Buffer): (PostAnswer & { isLast: boolean }) | 'more' | 'unframed' {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return 'more';
  const head = bytes.toString('latin1', 0, end);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  const length = status === 204 ? '0' : /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length === undefined) return 'unframed';
  const whole = end + 4 + Number(length);
  if (bytes.length < whole) return 'more';
  const isLast = /^connection: *close\r?$/im.test(head);
  return { status, text: bytes.toString('utf8', end + 4, whole), isLast };
}
