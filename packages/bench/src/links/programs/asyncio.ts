import { spawn } from 'node:child_process';
import { ended, freePort, type Neighbour, whenReady } from '../neighbours.ts';

/**
 * Python's asyncio: one thread, tasks. `isSleepy` waits a random time before its call, so that other
 * requests come between.
 */
export async function startAsyncioService(next: number, isSleepy: boolean): Promise<Neighbour> {
  const port = await freePort();
  const wait = isSleepy ? 'await asyncio.sleep(random.random() * 0.02)' : 'pass';
  const program = `
import asyncio, random
idle = []
async def read_head(reader):
    head = await reader.readuntil(b'\\r\\n\\r\\n')
    for line in head.split(b'\\r\\n'):
        if line.lower().startswith(b'content-length:'):
            await reader.readexactly(int(line.split(b':')[1]))
    return head
async def call(path):
    reader, writer = idle.pop() if idle else await asyncio.open_connection('127.0.0.1', ${next})
    writer.write(b'GET ' + path + b' HTTP/1.1\\r\\nHost: next\\r\\n\\r\\n')
    await read_head(reader)
    idle.append((reader, writer))
async def serve(reader, writer):
    try:
        while True:
            head = await read_head(reader)
            ${wait}
            await call(b'/c/' + head.split(b' ')[1].split(b'/')[2] + b'/0')
            writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', ${port}, backlog=1024)
    await server.serve_forever()
asyncio.run(main())
`;
  const child = spawn('python3', ['-c', program], { stdio: 'ignore' });
  return whenReady(child, port, 'python3', () => ended(child, 'SIGTERM'));
}
