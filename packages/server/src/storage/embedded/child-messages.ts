import type { Settings, Statement } from '../sql-store.ts';

/** What the supervisor tells the store's process, as JSON in its first argument. */
export interface ChildOptions {
  readonly dataDir: string;
  /** The unix socket that its parent asks at. */
  readonly socketPath: string;
  /** Of ClickHouse's HTTP interface on loopback, for others; undefined: closed, 0: any. */
  readonly port: number | undefined;
  /** Directories whose files may be inserted. */
  readonly spoolDirs: readonly string[];
  readonly memoryBytesMax: number;
}

/** What the process reports once, over IPC. */
export type ChildReport =
  | { readonly kind: 'ready'; readonly port: number }
  | {
      readonly kind: 'failed';
      readonly code: 'store_locked' | 'store_unavailable';
      readonly message: string;
    };

export interface FileInsert {
  /** The table, and perhaps its columns in parentheses. */
  readonly target: string;
  readonly format: string;
  readonly file: string;
  readonly settings: Settings;
}

/** What the parent asks at the socket. `id` is its own, and tells the answer. */
export type Ask =
  | ({ readonly kind: 'statement'; readonly id: number } & Statement)
  | ({ readonly kind: 'insert'; readonly id: number } & FileInsert)
  | { readonly kind: 'abort'; readonly id: number };

/** The answer's head; its body is the answer in the format, and empty with an error. */
export interface AnswerHead {
  readonly id: number;
  readonly error?: string;
}
