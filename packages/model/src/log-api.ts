import { z } from 'zod';

const Micros = z.coerce.number().int().nonnegative();
const CommaList = z.string().transform((text) => text.split(',').filter((part) => part !== ''));

/** GET /api/logs: the newest first; `cursor` of an answer asks for the next page. */
export const LogSearchQuery = z.object({
  start: Micros,
  end: Micros,
  service: CommaList.optional(),
  /** `trace`, `debug`, `info`, `warn`, `error`, `fatal`. */
  level: CommaList.optional(),
  /** `user`, `system`, `audit`, `agent`, or `access` for access logs. */
  type: z.string().max(32).optional(),
  /** Substring of the message, whatever its case. */
  text: z.string().min(1).max(256).optional(),
  trace_id: z.string().min(1).max(128).optional(),
  request_id: z.string().min(1).max(128).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().optional(),
});
export type LogSearchQuery = z.infer<typeof LogSearchQuery>;

export const LogSearchAnswer = z.object({
  logs: z.array(
    z.object({
      id: z.string(),
      timestampUs: z.number(),
      /** OpenTelemetry's severity number; 0 when the sender named none. */
      severity: z.number(),
      level: z.string(),
      service: z.string(),
      instance: z.string(),
      host: z.string(),
      type: z.string(),
      receiver: z.string(),
      body: z.string(),
      traceId: z.string(),
      spanId: z.string(),
      requestId: z.string(),
      attributes: z.array(z.object({ name: z.string(), value: z.string() })),
    }),
  ),
  /** Absent on the last page. */
  cursor: z.string().optional(),
});
export type LogSearchAnswer = z.infer<typeof LogSearchAnswer>;
