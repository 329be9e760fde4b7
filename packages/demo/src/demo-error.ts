export type DemoErrorCode = 'not_permitted' | 'unavailable' | 'demo_failed';

/** Why the demo's hosts could not be made; `fix` says what to do. */
export class DemoError extends Error {
  readonly code: DemoErrorCode;
  readonly fix: string;
  constructor(code: DemoErrorCode, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DemoError';
    this.code = code;
    this.fix = fix;
  }
}
