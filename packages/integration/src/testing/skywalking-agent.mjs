// A program under SkyWalking's own agent for Node: /outer calls /inner, once a quarter second, until
// its input ends. The agent reads its settings from the environment.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('skywalking-backend-js').default.start();
// After the agent: it wraps the module as it is loaded.
const http = require('node:http');

const server = http.createServer((request, response) => {
  if (request.url === '/inner') return response.end('inner');
  const { port } = server.address();
  // `request`, not `get`: the agent wraps the one that `get` does not go through.
  http.request({ port, path: '/inner' }, (answer) => answer.pipe(response)).end();
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const timer = setInterval(() => {
    http.get({ port, path: '/outer' }, (answer) => answer.resume()).on('error', () => undefined);
  }, 250);
  process.stdin.resume().on('end', () => {
    clearInterval(timer);
    process.exit(0);
  });
});
