// Entry of the store's process: the engine behind its HTTP door. It ends with its parent.
import { mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildOptions, ChildReport } from './child-messages.ts';
import { writeConfigFile } from './config-file.ts';
import { createDoor } from './door.ts';
import { type Engine, openEngine } from './engine.ts';

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
    if (typeof options.listen === 'string') rmSync(options.listen, { force: true });
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
  const temporaryDir = join(options.dataDir, 'bodies');
  rmSync(temporaryDir, { recursive: true, force: true });
  mkdirSync(temporaryDir, { recursive: true, mode: 0o700 });
  const spoolDirs = options.spoolDirs.map((directory) => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return realpathSync(directory);
  });
  const door = createDoor({ engine, spoolDirs, temporaryDir });
  process.on('SIGTERM', () => {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), CLOSE_GRACE_MS).unref();
    door.close(() => {
      engine.close();
      process.exit(0);
    });
    door.closeIdleConnections();
  });
  const listening = (): void => {
    const address = door.address();
    report({ kind: 'ready', port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
  };
  if (typeof options.listen === 'string') {
    // Left behind by a child that was killed.
    rmSync(options.listen, { force: true });
    door.listen(options.listen, listening);
  } else door.listen(options.listen, '127.0.0.1', listening);
}

await main();
