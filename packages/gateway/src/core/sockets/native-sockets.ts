import { isIP } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { loadSocketAddon, READY_MAX, type SocketAddon } from './addon.ts';
import type { Connection } from './connection.ts';
import { NativeConnection, type NativeParts } from './native-connection.ts';

/** TCP without Node's stream layer, which takes more than a request's whole way through HTTP does. */
export interface NativeSockets {
  /** Throws what Node's `listen` would: the error's `code` says why. `ip` is an address. */
  listen(ip: string, port: number, accept: (connection: Connection) => void): NativeListening;
  /** Plain connections to addresses; names are for Node's sockets. */
  connect(ip: string, port: number): Connection;
  close(): void;
}

export interface NativeListening {
  /** As it was given, or as the kernel has chosen. */
  readonly port: number;
  /** Takes no more; resolves when every connection taken is closed. */
  close(): Promise<void>;
}

/** The most that one read brings: Node's own reads have this size, too. */
const INPUT_BYTES = 65_536;
/** A read and its head, twice over. */
const OUTPUT_BYTES = 131_072;
/** Views of the input that are kept, one for each size modulo this: heads and answers come in few sizes. */
const VIEWS = 256;
/** As Node's and nginx's. */
const BACKLOG = 511;
/** Taken at once, before who is connected already has a turn. */
const ACCEPTED_MAX = 64;
/** Without descriptors or memory accepting would fail again and again. */
const PAUSE_MS = 100;
const EAGAIN = -11;
const ECONNABORTED = -103;
const EINTR = -4;

export interface NativeSocketsParts {
  /** A round of events begins. */
  round(): void;
  /** Other processes of this gateway listen on the same ports. */
  readonly isShared: boolean;
  warn(message: string): void;
}

/** Opens the addon; `warn` is told when there is none, and Node's sockets must do. */
export function openNativeSockets(parts: NativeSocketsParts): NativeSockets | undefined {
  const addon = loadSocketAddon();
  if (!('missing' in addon)) return createNativeSockets(addon, parts);
  parts.warn(
    `gateway_addon_missing: ${addon.missing}; Node's own sockets serve, at more CPU a request; ` +
      'fix: make build, or say --sockets node',
  );
  return undefined;
}

function createNativeSockets(
  addon: SocketAddon,
  { round, isShared }: NativeSocketsParts,
): NativeSockets {
  const ready = new Int32Array(READY_MAX * 2);
  const input = Buffer.allocUnsafeSlow(INPUT_BYTES);
  const views: (Buffer | undefined)[] = new Array(VIEWS).fill(undefined);
  const output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  /** By id; those that listen are apart, so that the others are all of one kind. */
  const table: (NativeConnection | undefined)[] = [];
  const listenings = new Map<number, Listening>();
  const set = addon.open(memory(ready), memory(input), memory(output), take);
  const parts: NativeParts = {
    set,
    received(size) {
      const known = views[size % VIEWS];
      if (known?.length === size) return known;
      const view = input.subarray(0, size);
      views[size % VIEWS] = view;
      return view;
    },
    output,
    corked: undefined,
    forget(id) {
      table[id] = undefined;
      listenings.delete(id);
    },
  };

  function take(count: number): void {
    round();
    for (let i = 0; i < count; i++) {
      const id = ready[2 * i] ?? -1;
      const one = table[id];
      if (one !== undefined) one.ready(ready[2 * i + 1] ?? 0);
      // It may have been closed on behalf of another, a moment ago.
      else listenings.get(id)?.ready();
    }
  }

  function add(id: number, isConnecting: boolean): NativeConnection {
    const connection = new NativeConnection(id, parts, isConnecting);
    if (id >= 0) table[id] = connection;
    return connection;
  }

  return {
    listen(ip, port, accept) {
      const id = set.listen(ip, port, BACKLOG, isShared ? 1 : 0);
      if (id < 0) throw listenError(id, ip, port);
      const listening = createListening(id, parts, (accepted) => {
        const connection = add(accepted, false);
        accept(connection);
        return connection;
      });
      listenings.set(id, listening);
      return { port: set.ends(id)[1], close: listening.close };
    },
    connect: (ip, port) => add(isIP(ip) === 0 ? -1 : set.connect(ip, port), true),
    close: () => set.close(),
  };
}

interface Listening {
  ready(): void;
  close(): Promise<void>;
}

function createListening(
  id: number,
  { set, forget }: NativeParts,
  add: (accepted: number) => Connection,
): Listening {
  let open = 0;
  let closed: (() => void) | undefined;
  let isClosing = false;
  let pause: NodeJS.Timeout | undefined;

  function over(): void {
    open -= 1;
    if (open === 0) closed?.();
  }

  return {
    ready() {
      for (let count = 0; count < ACCEPTED_MAX; count++) {
        const accepted = set.accept(id);
        if (accepted >= 0) {
          open += 1;
          add(accepted).onClosed(over);
        } else if (accepted === EAGAIN) return;
        else if (accepted !== ECONNABORTED && accepted !== EINTR) {
          set.watch(id, 0);
          pause = setTimeout(() => !isClosing && set.watch(id, 1), PAUSE_MS);
          return;
        }
      }
    },
    close() {
      isClosing = true;
      clearTimeout(pause);
      set.closeSocket(id);
      forget(id);
      return new Promise((resolve) => {
        closed = resolve;
        if (open === 0) resolve();
      });
    },
  };
}

function listenError(id: number, ip: string, port: number): Error {
  const code = getSystemErrorName(id);
  const error = new Error(`listen ${code}: ${ip}:${port}`);
  return Object.assign(error, { code, errno: id, syscall: 'listen', address: ip, port });
}

/** All of it: none of the arrays is a part of a larger one. */
function memory({ buffer }: Int32Array | Buffer): ArrayBuffer {
  return buffer as ArrayBuffer; // Made here, and not as a shared one.
}
