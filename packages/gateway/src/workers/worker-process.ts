import { createOwnLog } from '../core/own-log.ts';
import { openGatewayProcess } from '../gateway-process.ts';
import type { Gateway } from '../main.ts';
import { openRules } from '../rules.ts';
import { createFollowedStore, type FollowedStore } from './followed-store.ts';
import type { Beginning, ToFirst, ToWorker } from './messages.ts';
import { createWorkerHub, type WorkerHub } from './worker-hub.ts';

/** A process that serves. It ends when it is told so, or when the first one is gone. */
let running: { gateway: Promise<Gateway>; store: FollowedStore; hub: WorkerHub } | undefined;
let isStopping = false;

/** Calls `written` once it is, or nobody is there to read it. */
function send(message: ToFirst, written: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, written);
  else written();
}

function begin(beginning: Beginning): void {
  const { config, sockets, dataFolder, environment, isStandalone } = beginning;
  const hub = createWorkerHub(beginning.process, send);
  const store = createFollowedStore(beginning);
  const gateway = openGatewayProcess({
    config,
    sockets,
    dataFolder,
    environment,
    isStandalone,
    hub,
    store,
    rules: openRules(config),
    serves: true,
    administers: false,
    ownLog: createOwnLog(
      (message, severity = 'warn') => send({ kind: 'warn', message, severity }),
      Date.now,
    ),
  });
  running = { gateway, store, hub };
  gateway.then(
    () => send({ kind: 'serving' }),
    (error: Error & { readonly code?: string }) => {
      const { code, message } = error;
      send({ kind: 'failed', message, ...(code === undefined ? {} : { code }) });
      void stop();
    },
  );
}

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  try {
    await (await running?.gateway)?.close();
    const answers = running?.hub.last() ?? [];
    await new Promise<void>((resolve) => send({ kind: 'last', answers }, resolve));
  } catch {
    // It has been told of as the reason why this process does not serve.
  }
  process.exit();
}

process.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'begin':
      begin(message);
      return;
    case 'change':
      running?.store.apply(message.key, message.now, message.revision);
      return;
    case 'sync':
      send({ kind: 'synced', id: message.id });
      return;
    case 'stop':
      void stop();
      return;
    default:
      running?.hub.take(message);
  }
});
// Ctrl-C reaches every process of the terminal: the first one says when to stop.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => void stop());
send({ kind: 'hello' });
