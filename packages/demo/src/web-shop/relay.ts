import { createServer, type Server, type Socket } from 'node:net';

/** A server whose connections go on, both ways, to what `open` connects to. */
export function createRelay(open: () => Socket): Server {
  return createServer((from) => {
    const to = open();
    from.pipe(to).pipe(from);
    from.on('error', () => to.destroy());
    to.on('error', () => from.destroy());
  });
}
