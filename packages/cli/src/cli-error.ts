import type { ExitCode } from './exit-codes.ts';

/** What a person reads when a command fails: what happened, what to do, and the stable code. */
export class CliError extends Error {
  readonly code: ExitCode;
  readonly fix: string;
  constructor(code: ExitCode, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.code = code;
    this.fix = fix;
  }
}

/** Codes that other rooms give, as exit codes. What is not listed is `failed`. */
const CODES: Readonly<Record<string, ExitCode>> = {
  usage: 'usage',
  not_permitted: 'not_permitted',
  port_in_use: 'port_in_use',
  unavailable: 'unavailable',
  bad_input: 'bad_input',
  kernel_permission: 'not_permitted',
  bind_refused: 'usage',
  EADDRINUSE: 'port_in_use',
  EACCES: 'not_permitted',
  EPERM: 'not_permitted',
  ECONNREFUSED: 'unavailable',
  ENOENT: 'unavailable',
  ENOSPC: 'unavailable',
  EROFS: 'not_permitted',
  kernel_no_btf: 'unavailable',
  kernel_addon_missing: 'unavailable',
  kernel_unsupported: 'unavailable',
  store_unavailable: 'unavailable',
};

/** Any thrown value as a `CliError`; errors of other rooms carry `code` and often `fix`. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error)) return new CliError('failed', String(error), 'see --help');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const fix = 'fix' in error && typeof error.fix === 'string' ? error.fix : '';
  const cause = error.cause instanceof Error ? error.cause.message : '';
  const because = error.message.includes(cause) ? '' : `: ${cause}`;
  return new CliError(
    CODES[code] ?? 'failed',
    error.message + because,
    fix === '' ? 'see the message, and `thalweg doctor`' : fix,
    { cause: error },
  );
}
