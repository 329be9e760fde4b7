/** Source: gRPC, "Status codes and their use in gRPC". */
export const GRPC = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;
export type GrpcCode = (typeof GRPC)[keyof typeof GRPC];

export type GrpcAnswer =
  | {
      readonly code: typeof GRPC.ok;
      readonly message: Uint8Array;
      readonly rows: number;
      readonly rejected: number;
    }
  | {
      readonly code: Exclude<GrpcCode, 0>;
      readonly reason: string;
      readonly text: string;
      /** The sender is told when to come back (google.rpc.RetryInfo). */
      readonly retryAfterS?: number;
    };

/** One method that is called by gRPC. Data: the server does the rest. */
export interface GrpcMethod {
  /** Label of its counters. */
  readonly name: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  /**
   * `unary`: one message, one answer. `client-stream`: `handle` runs for each message, in order and
   * not waiting for one before it; the call ends with an answer, or with the first that is not ok.
   */
  readonly kind: 'unary' | 'client-stream';
  handle(message: Buffer): Promise<GrpcAnswer>;
}
