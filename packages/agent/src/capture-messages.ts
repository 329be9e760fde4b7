import type { AgentSettings } from './config.ts';
import type { ServiceCalibration } from './trace/calibration.ts';

// What crosses between the agent's main thread and its capture worker.

/** Which sockets are wanted; decided in the kernel, and changeable at run time. */
export interface CaptureFilter {
  readonly ports: readonly number[];
  readonly portsExcluded: readonly number[];
  readonly pidsExcluded: readonly number[];
  /** Inode numbers of network namespaces; empty: all. */
  readonly namespaces: readonly number[];
}

export interface WorkerSettings
  extends Pick<
    AgentSettings,
    | 'name'
    | 'flush_ms'
    | 'ring_bytes'
    | 'rung'
    | 'capture_bytes'
    | 'headers'
    | 'headers_redacted'
    | 'query_redacted'
    | 'request_timeout_ms'
    | 'priority'
    | 'cpu_budget_cores'
    | 'cpu_busy_share'
    | 'network_spans'
    | 'network_interfaces'
  > {
  readonly filter: CaptureFilter;
  /** Whether others than the agent work in this process, whose CPU is not its own. */
  readonly sharesProcess: boolean;
  /** Of the transfers that the kernel delivered, the share to leave out; 0 but in benches. */
  readonly lossShare: number;
  /** High half of every row id of this run. */
  readonly instance: number;
}

export type ToWorker =
  | { readonly kind: 'filter'; readonly filter: CaptureFilter }
  /** Takes every probe out of the kernel, or puts it back; what is open is finished as it is. */
  | { readonly kind: 'detach' }
  /** Look which network interfaces there are, and answer `followed`. */
  | { readonly kind: 'follow' }
  | { readonly kind: 'attach' }
  /** Memory of a batch that nobody needs any more. */
  | { readonly kind: 'spare'; readonly memory: ArrayBuffer }
  /** Drain, flush what is open, close, and answer `stopped`. */
  | { readonly kind: 'stop' };

export interface CaptureStatus {
  readonly isAttached: boolean;
  readonly rung: string;
  readonly reason: string;
  /** Counters of the kernel, flow and resolver by dotted name. All count since the start. */
  readonly counters: Readonly<Record<string, number>>;
  /** How right evidence is where ids tell, since the start. */
  readonly links: readonly ServiceCalibration[];
}

export type FromWorker =
  | { readonly kind: 'ready'; readonly status: CaptureStatus }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly fix: string;
    }
  | {
      readonly kind: 'batch';
      readonly table: string;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly rows: number;
    }
  | { readonly kind: 'status'; readonly status: CaptureStatus }
  | { readonly kind: 'followed'; readonly status: CaptureStatus }
  | { readonly kind: 'stopped'; readonly status: CaptureStatus };
