// The hosts reach no network but their own. What their SDKs send to ADDRESS PORT goes on through the
// Unix socket of the third argument, which belongs to the demo's server.
import { connect } from 'node:net';
import { createRelay } from '../web-shop/relay.ts';
import { endWithStdin } from './service.ts';

const [, , address = '127.0.0.1', port = '0', socketPath = ''] = process.argv;

const server = createRelay(() => connect(socketPath));
server.listen(Number(port), address, () => process.stdout.write('ready\n'));
endWithStdin();
