export type KernelErrorCode =
  | 'kernel_addon_missing'
  | 'kernel_permission'
  | 'kernel_no_btf'
  | 'kernel_unsupported';

/** Why the kernel side is not there, and what to do about it. */
export class KernelError extends Error {
  readonly code: KernelErrorCode;
  readonly fix: string;
  constructor(code: KernelErrorCode, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KernelError';
    this.code = code;
    this.fix = fix;
  }
}

/** What the addon throws: libbpf's error with its log. */
export interface AddonError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly log: string;
}

export function isAddonError(error: unknown): error is AddonError {
  return error instanceof Error && 'errno' in error && 'log' in error;
}
