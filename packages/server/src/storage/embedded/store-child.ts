// Entry of the store's process: the engine at its socket. It ends with its parent.
import { once } from 'node:events';
import { mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import type { ChildOptions, ChildReport } from './child-messages.ts';
import { writeConfigFile } from './config-file.ts';
import { createDoor } from './door.ts';
import { type Engine, openEngine } from './engine.ts';
import { createEngineSocket } from './engine-socket.ts';

const CLOSE_GRACE_MS = 5_000;

const report = (message: ChildReport): void => {
  process.send?.(message);
};

function open(options: ChildOptions): Promise<Engine> {
  const directory = join(options.dataDir, 'clickhouse');
  return openEngine(directory, writeConfigFile(options.dataDir, options.memoryBytesMax));
}

/** Whether a living process holds the directory: the engine writes its id into `status`. */
function hasOwner(dataDir: string): boolean {
  try {
    const status = readFileSync(join(dataDir, 'clickhouse', 'status'), 'utf8');
    const pid = Number(/^PID: (\d+)/m.exec(status)?.[1] ?? 0);
    return pid > 0 && pid !== process.pid && process.kill(pid, 0);
  } catch {
    // No such file, or no such process: the failure has another reason.
    return false;
  }
}

async function main(): Promise<void> {
  // Written by our supervisor, in this same version.
  const options = JSON.parse(process.argv[2] ?? '{}') as ChildOptions;
  // Ctrl-C reaches the whole process group; the parent decides when the store ends.
  process.on('SIGINT', () => undefined);
  // A running query would hold up exit(), and the engine bears SIGKILL.
  process.on('disconnect', () => {
    rmSync(options.socketPath, { force: true });
    process.kill(process.pid, 'SIGKILL');
  });
  let engine: Engine;
  try {
    engine = await open(options);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = hasOwner(options.dataDir) ? 'store_locked' : 'store_unavailable';
    report({ kind: 'failed', code, message });
    process.disconnect();
    return;
  }
  const spoolDirs = options.spoolDirs.map((directory) => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return realpathSync(directory);
  });
  const socket = createEngineSocket({ engine, spoolDirs });
  const door = options.port === undefined ? undefined : openDoor(engine, options.dataDir);
  process.on('SIGTERM', () => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), CLOSE_GRACE_MS).unref();
    door?.close();
    door?.closeIdleConnections();
    socket.close(() => {
      void engine.close().finally(() => process.exit(0));
    });
  });
  // Left behind by a child that was killed.
  rmSync(options.socketPath, { force: true });
  await listening(socket.listen(options.socketPath));
  if (door !== undefined) await listening(door.listen(options.port, '127.0.0.1'));
  report({ kind: 'ready', port: (door?.address() as AddressInfo | undefined)?.port ?? 0 });
}

function openDoor(engine: Engine, dataDir: string): ReturnType<typeof createDoor> {
  const temporaryDir = join(dataDir, 'bodies');
  rmSync(temporaryDir, { recursive: true, force: true });
  mkdirSync(temporaryDir, { recursive: true, mode: 0o700 });
  return createDoor({ engine, temporaryDir: realpathSync(temporaryDir) });
}

async function listening(server: Server): Promise<void> {
  await once(server, 'listening');
}

await main();
