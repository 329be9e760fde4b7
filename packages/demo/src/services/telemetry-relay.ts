// The hosts reach no network but their own. What their SDKs send to ADDRESS PORT goes on through the
// Unix socket of the third argument, which belongs to the demo's server.
import { connect, createServer } from 'node:net';
import { endWithStdin } from './service.ts';

const [, , address = '127.0.0.1', port = '0', socketPath = ''] = process.argv;

const server = createServer((from) => {
  const to = connect(socketPath);
  from.pipe(to).pipe(from);
  from.on('error', () => to.destroy());
  to.on('error', () => from.destroy());
});
server.listen(Number(port), address, () => process.stdout.write('ready\n'));
endWithStdin();
