// A shop's customers (arguments: the gateway's URL, `orders` or `web-shop`): a closed loop of
// requests over kept connections. Orders come as JSON lines
// on stdin ({requests, connections, from, pauseMs}), each answered by a JSON line on stdout.
import { Agent, request as call } from 'node:http';
import { createInterface } from 'node:readline';
import type { LoadOrder, LoadReport } from '../load-report.ts';
import { shopRequest } from '../shop.ts';
import { WEB_SHOP_REQUEST } from '../web-shop/addresses.ts';
import { endWithStdin } from './service.ts';

const REQUEST_MS_MAX = 10_000;
const [, , gatewayUrl = '', shop] = process.argv;
const requestAt = shop === 'web-shop' ? () => WEB_SHOP_REQUEST : shopRequest;

function send(index: number, agent: Agent): Promise<string> {
  const { method, path, host, body } = requestAt(index);
  return new Promise((resolve) => {
    const headers = {
      'user-agent': 'shop-client/1.0',
      ...(host === undefined ? {} : { host }),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const options = { method, agent, headers, timeout: REQUEST_MS_MAX };
    const asked = call(gatewayUrl + path, options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(String(answer.statusCode)));
    });
    asked.on('timeout', () => asked.destroy(new Error('timeout')));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end(body);
  });
}

async function drive(order: LoadOrder): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.connections });
  const statuses: Record<string, number> = {};
  const startUs = Date.now() * 1e3;
  let next = 0;
  async function work(): Promise<void> {
    while (next < order.requests) {
      const index = order.from + next;
      next += 1;
      const status = await send(index, agent);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (order.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, order.pauseMs));
    }
  }
  await Promise.all(Array.from({ length: order.connections }, work));
  agent.destroy();
  const endUs = Date.now() * 1e3 + 1e3;
  return { requests: next, statuses, startUs, endUs };
}

endWithStdin();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as LoadOrder; // Only startDemo writes here.
  process.stdout.write(`${JSON.stringify(await drive(order))}\n`);
}
