import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PluginListener } from '../plugins/plugin.ts';
import { answerBytes } from './answer.ts';
import { listenOn } from './listeners.ts';
import { OWN_SERVER } from './own-server.ts';

/** The ports that plugins answer on themselves. */
export interface PluginListeners {
  /** Where each can be asked. */
  readonly urls: readonly string[];
  close(): void;
}

/**
 * Opens them all. Throws when a configured address cannot be had; one that nobody asked for is told
 * of and left out, since other gateways on the machine may have it.
 */
export async function openPluginListeners(
  listeners: readonly PluginListener[],
  warn: (message: string) => void,
): Promise<PluginListeners> {
  const servers: Server[] = [];
  const urls: string[] = [];
  for (const listener of listeners) {
    const server = serverOf(listener);
    try {
      const port = await listenOn(server, listener);
      servers.push(server);
      urls.push(`http://${listener.ip}:${port}${listener.path}`);
    } catch (error) {
      if (listener.isConfigured) throw error;
      const why = error instanceof Error ? error.message : String(error);
      warn(`no metrics on their own port, set plugin_attr.prometheus.export_addr: ${why}`);
    }
  }
  return {
    urls,
    close() {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

function serverOf(listener: PluginListener): Server {
  return createServer(OWN_SERVER, (request, response) => {
    request.resume();
    void serve(listener, request, response);
  });
}

async function serve(
  listener: PluginListener,
  { url = '', method }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (url.split('?')[0] !== listener.path || method !== 'GET') {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('404 Not Found\n');
    return;
  }
  const { status, headers, body } = await listener.answer();
  response.writeHead(status, headers as Record<string, string>).end(answerBytes(body));
}
