import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createKeptPosts } from './kept-posts.ts';
import { freePort } from './links/neighbours.ts';
import { childrenOf, cpuMs } from './process-use.ts';

/** Something that takes remote write and answers PromQL, in processes of its own. */
export interface MetricStore {
  readonly name: 'thalweg' | 'prometheus' | 'victoriametrics';
  write(body: Uint8Array): Promise<void>;
  /** The answer's text. */
  query(
    path: 'query' | 'query_range',
    parameters: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** CPU of all its processes so far. */
  cpuMs(): number;
  /** What the samples take on disk, when it has written them down. */
  diskBytes(): Promise<number>;
  close(): Promise<void>;
}

interface Kind {
  readonly name: MetricStore['name'];
  readonly command: (folder: string, port: number) => readonly [command: string, ...args: string[]];
  readonly writePath: string;
  readonly apiPath: string;
  readonly readyPath: string;
  readonly diskBytes: (url: string, folder: string) => Promise<number>;
}

const CLI = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../cli/dist/thalweg.js' : './thalweg.js',
    import.meta.url,
  ),
);

export const METRIC_STORES: readonly Kind[] = [
  {
    name: 'thalweg',
    command: (folder, port) => {
      // Only remote write is measured, and the usual ports may be somebody else's.
      const closed = { otlp_http_port: 'off', otlp_grpc_port: 'off', skywalking_grpc_port: 'off' };
      const settings = { port, data_dir: folder, ...closed };
      writeFileSync(`${folder}.json`, JSON.stringify(settings));
      return [process.execPath, CLI, 'server', '--config', `${folder}.json`];
    },
    writePath: '/api/v1/write',
    apiPath: '/prom/api/v1',
    readyPath: '/readyz',
    // Rows that are merged are on disk twice until the engine removes the old parts: it knows.
    diskBytes: async (url) => {
      const answer = await fetch(`${url}/prom/api/v1/status/tsdb`);
      const { data } = (await answer.json()) as { data: { storage: { bytes: number }[] } };
      return data.storage.reduce((sum, { bytes }) => sum + bytes, 0);
    },
  },
  {
    name: 'prometheus',
    command: (folder, port) => {
      writeFileSync(join(folder, 'prometheus.yml'), '');
      return [
        'prometheus',
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-remote-write-receiver',
        '--web.enable-admin-api',
        '--log.level=error',
      ];
    },
    writePath: '/api/v1/write',
    apiPath: '/api/v1',
    readyPath: '/-/ready',
    // A snapshot is the block that the head becomes; its write-ahead log is larger.
    diskBytes: async (url, folder) => {
      await fetch(`${url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
      return bytesOf(join(folder, 'data', 'snapshots'));
    },
  },
  {
    name: 'victoriametrics',
    command: (folder, port) => [
      'victoria-metrics',
      `-storageDataPath=${folder}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      '-loggerLevel=ERROR',
      // Answers must not come from the answers before.
      '-search.disableCache',
    ],
    writePath: '/api/v1/write',
    apiPath: '/api/v1',
    readyPath: '/health',
    diskBytes: async (url, folder) => {
      await fetch(`${url}/internal/force_flush`);
      await sleep(1_000);
      return bytesOf(join(folder, 'data')) + bytesOf(join(folder, 'indexdb'));
    },
  },
];

const READY_MS = 60_000;

export async function startMetricStore(kind: Kind, folder: string): Promise<MetricStore> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const [command, ...args] = kind.command(folder, port);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  const url = `http://127.0.0.1:${port}`;
  const posts = createKeptPosts(port, kind.writePath, WRITE_HEADERS);
  const queries = {
    query: createKeptPosts(port, `${kind.apiPath}/query`, FORM_HEADERS),
    query_range: createKeptPosts(port, `${kind.apiPath}/query_range`, FORM_HEADERS),
  };
  const close = async (): Promise<void> => {
    for (const one of [posts, ...Object.values(queries)]) one.close();
    await ended(child);
  };
  const missing = new Promise<never>((_, reject) => {
    child.once('error', (cause) => {
      const fix = 'run scripts/install-system-packages.sh';
      reject(new Error(`${command} does not start: ${fix}`, { cause }));
    });
  });
  try {
    await Promise.race([untilReady(url + kind.readyPath, kind.name), missing]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    name: kind.name,
    write: async (body) => {
      for (;;) {
        const { status, text } = await posts.post(body);
        if (status === 503) await sleep(50);
        else if (status >= 300) throw new Error(`${kind.name}: ${status} ${text}`);
        else return;
      }
    },
    query: async (path, parameters) => {
      const form = Buffer.from(new URLSearchParams(parameters).toString());
      const { status, text } = await queries[path].post(form);
      if (status !== 200) throw new Error(`${kind.name}: ${status} ${text}`);
      return text;
    },
    cpuMs: () =>
      [child.pid ?? 0, ...childrenOf(child.pid ?? 0)].reduce((sum, pid) => sum + cpuMs(pid), 0),
    diskBytes: () => kind.diskBytes(url, folder),
    close,
  };
}

const WRITE_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};
const FORM_HEADERS = { 'content-type': 'application/x-www-form-urlencoded' };

async function untilReady(url: string, name: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await sleep(50);
  }
  throw new Error(`${name} was not ready in ${READY_MS} ms`);
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
