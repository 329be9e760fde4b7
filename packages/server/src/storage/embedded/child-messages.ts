/** What the supervisor tells the store's process, as JSON in its first argument. */
export interface ChildOptions {
  readonly dataDir: string;
  /** A unix socket's path, or a port on loopback. */
  readonly listen: string | number;
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

/** Header that names the file an INSERT reads instead of the body. */
export const FILE_HEADER = 'x-thalweg-file';
