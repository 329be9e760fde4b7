/** What the client is told to do. */
export interface LoadOrder {
  readonly requests: number;
  readonly connections: number;
  /** Index of the first request in the shop's day. */
  readonly from: number;
  /** Rest of each connection after each answer; 0 for none. */
  readonly pauseMs: number;
}

/** What became of it. */
export interface LoadReport {
  readonly requests: number;
  /** Answers by status code, failures by error code. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Wall clock, microseconds since the epoch. */
  readonly startUs: number;
  readonly endUs: number;
}
