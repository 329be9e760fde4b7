// Builds everything that runs: the kernel objects and the addons, the bundles of the cli and of the
// two processes that it starts, and the web pages. `node scripts/build.mjs [native|bundle|web]…`
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = new Set(process.argv.slice(2));
const isWanted = (part) => wanted.size === 0 || wanted.has(part);

/** Each bundle lands beside the others: a process finds the next one's script by its own place. */
const BUNDLES = {
  thalweg: 'packages/cli/src/main.ts',
  'capture-worker': 'packages/agent/src/capture-worker.ts',
  'gateway-worker': 'packages/gateway/src/workers/worker-process.ts',
  'store-child': 'packages/server/src/storage/embedded/store-child.ts',
  'remote-write-worker': 'packages/integration/src/remote-write-worker.ts',
  client: 'packages/demo/src/services/client.ts',
  orders: 'packages/demo/src/services/orders.ts',
  stock: 'packages/demo/src/services/stock.ts',
  'shop-service': 'packages/demo/src/services/shop-service.ts',
  'telemetry-relay': 'packages/demo/src/services/telemetry-relay.ts',
  'bench-subject': 'packages/bench/src/bench-subject.ts',
  'ring-run': 'packages/bench/src/ring-run.ts',
  'link-service': 'packages/bench/src/links/link-service.ts',
};

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (isWanted('native')) {
  run('sh', ['packages/agent/scripts/build-native.sh']);
  run('sh', ['packages/gateway/scripts/build-native.sh']);
}
if (isWanted('bundle')) {
  await build({
    absWorkingDir: root,
    entryPoints: BUNDLES,
    outdir: 'packages/cli/dist',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: 'linked',
    conditions: ['@thalweg/source'],
    // chdb finds its library beside itself; fastify's plugins are loaded by name; yaml,
    // redis and pg are CommonJS that requires Node's own modules, which a bundle in this format cannot.
    external: [
      'chdb',
      'fastify',
      '@fastify/static',
      '@clickhouse/client',
      'vite',
      'playwright-core',
      'yaml',
      '@redis/client',
      // Instrumentations patch what is required at run time.
      '@opentelemetry/*',
      'pg',
    ],
    logLevel: 'warning',
  });
}
if (isWanted('web')) run('npx', ['vite', 'build', 'packages/web', '--logLevel', 'warn']);
