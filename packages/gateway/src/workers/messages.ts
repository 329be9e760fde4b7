import type { GatewayConfig } from '../config/config.ts';
import type { Severity } from '../core/own-log.ts';
import type { StoredObject } from '../store/store.ts';

/** What a process that serves is told at its start. */
export interface Beginning {
  /** Ports are those that the kernel has given. */
  readonly config: GatewayConfig;
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly sockets: 'native' | 'node';
  readonly isStandalone: boolean;
  readonly process: number;
  readonly prefix: string;
  readonly revision: number;
  readonly objects: readonly StoredObject[];
}

/** From the first process to one that serves. */
export type ToWorker =
  | ({ readonly kind: 'begin' } & Beginning)
  | {
      readonly kind: 'change';
      readonly key: string;
      /** Absent: it is gone. */
      readonly now?: StoredObject;
      readonly revision: number;
    }
  | { readonly kind: 'sync'; readonly id: number }
  | { readonly kind: 'answers'; readonly list: readonly (readonly [id: number, answer: unknown])[] }
  | { readonly kind: 'question'; readonly id?: number; readonly topic: string; question?: unknown }
  | { readonly kind: 'gathered'; readonly id: number; readonly answers: readonly unknown[] }
  | { readonly kind: 'stop' };

export type Call = readonly [id: number, state: number, method: string, given: readonly unknown[]];

/** From one that serves to the first process. */
export type ToFirst =
  | { readonly kind: 'hello' }
  | { readonly kind: 'serving' }
  | { readonly kind: 'failed'; readonly code?: string; readonly message: string }
  | { readonly kind: 'warn'; readonly message: string; readonly severity?: Severity }
  | { readonly kind: 'synced'; readonly id: number }
  | {
      readonly kind: 'state';
      readonly state: number;
      readonly name: string;
      readonly key: string;
      readonly settings: unknown;
    }
  /** Nothing refers to it any more in the process that asked for it. */
  | { readonly kind: 'forget'; readonly state: number }
  | { readonly kind: 'calls'; readonly list: readonly Call[] }
  | {
      readonly kind: 'ask';
      readonly id?: number;
      readonly topic: string;
      readonly question?: unknown;
    }
  | { readonly kind: 'reply'; readonly id: number; readonly answer?: unknown }
  /** Before it ends: what stays of its counts. */
  | {
      readonly kind: 'last';
      readonly answers: readonly (readonly [topic: string, answer: unknown])[];
    };
