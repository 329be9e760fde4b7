import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseGatewayConfig } from '../config/config.ts';
import { startGateway } from '../main.ts';

const KEY = 'running-key';

/** A gateway of a test, on ports that the kernel has chosen. */
export interface RunningGateway {
  /** Ports in the order of the listeners: plain ones, then TLS. */
  readonly ports: readonly number[];
  /** `line` is a method and a path of the Admin API; throws when it is refused. */
  put(path: string, body: object): Promise<void>;
  /** Status of an Admin request. */
  status(path: string, body: object): Promise<number>;
  close(): Promise<void>;
}

/** Starts one with `apisix` of config.yaml. */
export async function runGateway(apisix: object): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'gwproto-gateway-'));
  const config = {
    apisix: { control: { port: 0 }, ...apisix },
    plugins: [],
    deployment: { admin: { admin_listen: { port: 0 }, admin_key: [{ key: KEY }] } },
  };
  const gateway = await startGateway({
    config: parseGatewayConfig(JSON.stringify(config), {}).config,
    dataFolder: folder,
    environment: {},
    warn: () => undefined,
  });

  async function send(path: string, body: object): Promise<{ status: number; text: string }> {
    const response = await fetch(`${gateway.adminUrl}/apisix/admin/${path}`, {
      method: 'PUT',
      headers: { 'X-API-KEY': KEY },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  }

  return {
    ports: gateway.proxies.map((url) => Number(new URL(url).port)),
    async put(path, body) {
      const { status, text } = await send(path, body);
      if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
    },
    status: async (path, body) => (await send(path, body)).status,
    async close() {
      await gateway.close();
      rmSync(folder, { recursive: true });
    },
  };
}
