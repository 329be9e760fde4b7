import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** One set of sockets, as native/addon.cc documents it: numbers below 0 are minus an errno. */
export interface SocketSet {
  listen(ip: string, port: number, backlog: number, isShared: 0 | 1): number;
  connect(ip: string, port: number): number;
  accept(listening: number): number;
  receive(id: number): number;
  send(id: number, text: string, textSize: number, size: number): number;
  sendFrom(id: number, bytes: Buffer): number;
  watch(id: number, kinds: number): number;
  failure(id: number): number;
  shutdown(id: number): number;
  ends(id: number): [string, number, string, number];
  closeSocket(id: number): void;
  close(): void;
}

export interface SocketAddon {
  open(
    ready: ArrayBuffer,
    input: ArrayBuffer,
    output: ArrayBuffer,
    callback: (count: number) => void,
  ): SocketSet;
}

/** Pairs of int32 that one call tells of at most: kReadyMax of native/sockets.h. */
export const READY_MAX = 1_024;
export const READABLE = 1;
export const WRITABLE = 2;
export const FAILED = 4;

/** Where `make build` puts the addon: seen from the sources and from a bundle. */
const FOLDER = import.meta.url.endsWith('.ts') ? '../../../build/' : '../../gateway/build/';

/** The addon, or why there is none. */
export function loadSocketAddon(): SocketAddon | { readonly missing: string } {
  const path = fileURLToPath(new URL(`${FOLDER}thalweg_sockets.node`, import.meta.url));
  if (!existsSync(path)) return { missing: `no addon at ${path}` };
  try {
    return createRequire(import.meta.url)(path) as SocketAddon; // Declared beside native/addon.cc.
  } catch (error) {
    return { missing: `${path}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
