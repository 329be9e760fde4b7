import { Agent, request as call } from 'node:http';
import { bodyOf } from '../services/service.ts';

const agent = new Agent({ keepAlive: true });

/** Asks another service over kept connections. Rejects unless it answers with 2xx. */
export function ask(method: 'GET' | 'POST', url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = call(url, { method, agent, headers: { 'content-length': 0 } }, (message) => {
      bodyOf(message).then((text) => {
        const status = message.statusCode ?? 502;
        if (status < 300) resolve(JSON.parse(text));
        else reject(new Error(`${url} answered ${status}`));
      }, reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}
