import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';

const BODY_BYTES_MAX = 64 * 1024;

/**
 * Serves on ADDRESS PORT (the first two arguments), says `ready` on stdout, and ends when its stdin
 * ends: a demo that was killed leaves no service behind.
 */
export function serve(listener: RequestListener): void {
  const [address = '127.0.0.1', port = '0'] = process.argv.slice(2);
  const server = createServer(listener);
  server.keepAliveTimeout = 600_000; // Longer than any client here keeps an idle connection.
  server.listen(Number(port), address, () => process.stdout.write('ready\n'));
  endWithStdin();
}

/** Ends this process when whoever started it is gone. */
export function endWithStdin(): void {
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
}

export function answer(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** The whole body as text; longer than 64 KiB is cut. */
export function bodyOf(message: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    message.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_BYTES_MAX) chunks.push(chunk);
    });
    message.on('end', () => resolve(Buffer.concat(chunks).toString()));
    message.on('error', reject);
  });
}
