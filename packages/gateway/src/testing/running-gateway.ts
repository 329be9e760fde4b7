import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { parseGatewayConfig } from '../config/config.ts';
import { type Gateway, type GatewayOptions, startGateway } from '../main.ts';

const KEY = 'testing-key';

declare module 'vitest' {
  interface ProvidedContext {
    /** What carries plain connections in this run: see vitest.config.ts. */
    readonly sockets?: 'native' | 'node';
  }
}

/** Options of `startGateway` that fix the kind of sockets: another one is no silent substitute. */
export function chosenSockets(): Pick<GatewayOptions, 'sockets' | 'warn'> {
  return {
    sockets: inject('sockets') ?? 'native',
    warn(message) {
      if (message.startsWith('gateway_addon_missing')) throw new Error(message);
    },
  };
}

/** A gateway on ports that the kernel has chosen, with an empty folder, in this process. */
export interface RunningGateway {
  readonly gateway: Gateway;
  /** Ports in the order of the listeners: plain ones, then TLS. */
  readonly ports: readonly number[];
  /** `PUT routes/1` and the object; answers the status. */
  admin(line: string, body?: object): Promise<number>;
  /** PUTs an object; throws what a refusal says. */
  put(path: string, body: object): Promise<void>;
  /** Octets in the given pieces on one connection; answers all that comes until its end. */
  send(...pieces: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** Starts one with keys of config.yaml. */
export async function runGateway(
  apisix: object = { node_listen: [{ ip: '127.0.0.1', port: 0 }], ssl: { enable: false } },
  more: object = {},
): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  const config = {
    apisix: { control: { port: 0 }, ...apisix },
    plugin_attr: { prometheus: { export_addr: { port: 0 } } },
    deployment: { admin: { admin_listen: { port: 0 }, admin_key: [{ key: KEY }] } },
    ...more,
  };
  const gateway = await startGateway({
    config: parseGatewayConfig(JSON.stringify(config), {}).config,
    dataFolder: folder,
    environment: {},
    ...chosenSockets(),
  });
  const ports = gateway.proxies.map((url) => Number(new URL(url).port));

  async function ask(line: string, body?: object): Promise<{ status: number; text: string }> {
    const [method = '', path = ''] = line.split(' ');
    const response = await fetch(`${gateway.adminUrl}/apisix/admin/${path}`, {
      method,
      // A kept connection may be closed by the server in the moment it is used again.
      headers: { 'X-API-KEY': KEY, Connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }

  return {
    gateway,
    ports,
    admin: async (line, body) => (await ask(line, body)).status,
    async put(path, body) {
      const { status, text } = await ask(`PUT ${path}`, body);
      if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
    },
    send: (...pieces) => sendOctets(ports[0] ?? 0, pieces),
    async close() {
      await gateway.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** So long nothing may come before the connection is taken for finished. */
const QUIET_MS = 400;
/** Between pieces, so that each is a read of its own. */
const PIECE_MS = 10;

function sendOctets(port: number, pieces: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => void write());
    async function write(): Promise<void> {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        socket.write(piece, 'latin1');
        await sleep(PIECE_MS);
      }
      socket.setTimeout(QUIET_MS, () => socket.destroy());
    }
    socket.on('data', (bytes) => (text += bytes.toString('latin1')));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(text));
  });
}

/** Status codes of the answers in `text`, in order. */
export function statusesOf(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
