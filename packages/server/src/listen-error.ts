import { StartError } from './errors.ts';
import { StoreError } from './storage/store.ts';

/** Why a port could not be opened; `key` is the setting that names another one. */
export function listenError(
  cause: unknown,
  { host, port, key }: { readonly host: string; readonly port: number; readonly key: string },
): StartError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if (code !== 'EADDRINUSE') return startError(cause);
  return new StartError(
    'port_in_use',
    `${host}:${port} is not free`,
    `is another server running? set ${key} to another port, or 0 for any`,
    { cause },
  );
}

/** What stopped the start, with what to do about it. */
export function startError(cause: unknown): StartError {
  if (cause instanceof StartError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const fix =
    cause instanceof StoreError && cause.code === 'store_locked'
      ? 'end the other server, or choose another data_dir'
      : 'see the cause; data_dir must be writable and have room';
  return new StartError('start_failed', message, fix, { cause });
}
