import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why there is no etcd to test with; undefined when there is one. */
export function etcdMissing(): string | undefined {
  const probe = spawnSync('etcd', ['--version']);
  return probe.error === undefined
    ? undefined
    : `etcd is missing (${probe.error.message}): run scripts/install-system-packages.sh`;
}

/** Debian's etcd, real, on ports of its own, in a folder of its own. */
export interface EtcdProcess {
  readonly url: string;
  /** A call of its JSON gateway, for what tests do behind the gateway's back. */
  call(method: string, body: object): Promise<Record<string, unknown>>;
  /** SIGKILL, as when the machine is lost. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Deletes what it kept, while it is down: it comes back as another cluster. */
  wipe(): void;
  /** Ends it and deletes what it kept. */
  close(): Promise<void>;
}

/** Paths of PEM files: etcd's certificate, whose CA also makes those that clients must show. */
export interface EtcdTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export async function startEtcd(tls?: EtcdTls): Promise<EtcdProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'gwproto-etcd-'));
  const [clientPort, peerPort] = [await freePort(), await freePort()];
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${clientPort}`;
  const tlsWords =
    tls === undefined
      ? []
      : [
          ...['--cert-file', tls.cert, '--key-file', tls.key],
          ...['--client-cert-auth', '--trusted-ca-file', tls.ca],
        ];
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    child = spawn(
      'etcd',
      [
        ...['--data-dir', folder, '--name', 'one', '--log-level', 'error'],
        ...['--listen-client-urls', url, '--advertise-client-urls', url],
        ...['--listen-peer-urls', `http://127.0.0.1:${peerPort}`],
        ...['--initial-advertise-peer-urls', `http://127.0.0.1:${peerPort}`],
        ...['--initial-cluster', `one=http://127.0.0.1:${peerPort}`],
        ...tlsWords,
      ],
      { stdio: 'ignore' },
    );
    const untilMs = Date.now() + 20_000;
    for (;;) {
      const answer = await call('kv/range', { key: 'AA==' }).catch(() => undefined);
      if (answer?.['header'] !== undefined) return;
      if (Date.now() > untilMs) throw new Error('etcd did not start in 20 s');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  function call(method: string, body: object): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const secrets =
        tls === undefined
          ? {}
          : { ca: readFileSync(tls.ca), cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
      const options = { method: 'POST', agent: false, ...secrets } as const;
      const request = tls === undefined ? requestHttp : requestHttps;
      const asked = request(`${url}/v3/${method}`, options, (answer) => {
        let text = '';
        answer.on('data', (piece) => (text += piece));
        answer.on('end', () => resolve(JSON.parse(text)));
      });
      asked.on('error', reject);
      asked.end(JSON.stringify(body));
    });
  }

  async function kill(): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending === undefined) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await ended;
  }

  await start();
  return {
    url,
    call,
    kill,
    start,
    wipe: () => rmSync(folder, { recursive: true, force: true }),
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
