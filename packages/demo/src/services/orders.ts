// The shop's orders; asks the stock service, whose URL is the third argument, over kept connections.
import { Agent, request as call, type IncomingMessage, type ServerResponse } from 'node:http';
import { answer, bodyOf, serve } from './service.ts';

const stockUrl = process.argv[4] ?? 'http://127.0.0.1:7002';
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

interface StockAnswer {
  readonly status: number;
  readonly body: string;
}

function askStock(method: string, path: string, body?: string): Promise<StockAnswer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const asked = call(stockUrl + path, { method, agent, headers }, (message) => {
      bodyOf(message).then(
        (text) => resolve({ status: message.statusCode ?? 502, body: text }),
        reject,
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '/';
  const body = await bodyOf(request);
  if (path.endsWith('/invoice')) return answer(response, 404, { error: 'no invoice yet' });
  if (request.method === 'POST') {
    const { status } = await askStock('POST', '/reservations', body);
    return answer(response, status === 201 ? 201 : 502, { order: 'taken' });
  }
  const id = path.split(/[/=]/).at(-1) ?? '0';
  const stock = await askStock('GET', `/items/${id}`);
  if (stock.status >= 500) return answer(response, 500, { error: 'stock failed', id });
  answer(response, 200, { id, stock: stock.body });
}

serve((request, response) => {
  route(request, response).catch((error: Error) => {
    answer(response, 502, { error: error.message });
  });
});
