import { hostname } from 'node:os';
import { z } from 'zod';
import { COMPRESSIONS } from './export/compression.ts';
import { DEFAULT_HEADERS, FLOW_LIMITS } from './flow/options.ts';
import { RUNGS } from './kernel/ladder.ts';
import { NETWORK_SPANS } from './network/network-span.ts';

const PortList = z
  .union([z.array(z.coerce.number()), z.string().transform((text) => text.split(',').map(Number))])
  .pipe(z.array(z.number().int().min(1).max(65_535)).max(1024));
const Names = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(','))])
  .pipe(z.array(z.string().min(1).max(128)).max(256));

/** Every key of the agent: its default, limits and meaning. Environment: THALWEG_AGENT_<KEY>. */
export const AgentSettings = z.object({
  name: z
    .string()
    .min(1)
    .max(128)
    .default(hostname())
    .describe('Name of this agent in every row.')
    .meta({ defaultDoc: "the host's name" }),
  server_url: z.url().default('http://127.0.0.1:20416').describe('Where rows are sent.'),
  token: z
    .string()
    .optional()
    .describe('Sent as a bearer token to the server.')
    .meta({ isSecret: true }),
  spool_dir: z.string().default('/var/lib/thalweg/agent-spool').describe('Rows that wait.'),
  spool_bytes_max: z.coerce.number().int().min(1e6).default(256e6).describe('Cap of the spool.'),
  compression: z
    .enum(COMPRESSIONS)
    .default('auto')
    .describe('Of batches: gzip, none, or auto: none to a server on this machine.'),
  flush_ms: z.coerce.number().int().min(50).max(60_000).default(1_000).describe('Age of a batch.'),
  status_port: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(38_086)
    .describe('Port of receivers, /status and /metrics; 0 picks a free one.'),
  receive_host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address of that port; wider than loopback needs a receive_token.'),
  receive_token: z
    .string()
    .min(16)
    .optional()
    .describe('Bearer token that senders to this agent must carry.')
    .meta({ isSecret: true }),
  ring_bytes: z.coerce
    .number()
    .int()
    .min(1 << 16)
    .max(1 << 28)
    .refine((size) => (size & (size - 1)) === 0, 'must be a power of two')
    .default(1 << 23)
    .describe(
      'Ring between kernel and agent. A larger one holds longer bursts and costs each event more: it leaves the cache.',
    ),
  rung: z
    .enum(['auto', ...RUNGS])
    .default('auto')
    .describe('Hook to capture at: auto takes the first of A and B that this kernel accepts.'),
  capture_bytes: z.coerce
    .number()
    .int()
    .min(64)
    .max(1024)
    .default(512)
    .describe('Bytes copied of each transfer at most.'),
  priority: z
    .enum(['idle', 'normal'])
    .default('idle')
    .describe(
      'idle: capture runs on CPU time that nothing else wants (SCHED_IDLE), so traffic never waits for it.',
    ),
  cpu_budget_cores: z.coerce
    .number()
    .min(0.05)
    .max(64)
    .default(0.5)
    .describe(
      'Cores that the agent may use of what the machine has to spare; past it, traffic is looked at for a part of the time.',
    ),
  cpu_busy_share: z.coerce
    .number()
    .min(0.01)
    .max(1)
    .default(0.05)
    .describe(
      'What it may use of a machine without CPU to spare, as a share of its cores; 1: no budget, it never looks away.',
    ),
  ports: PortList.default([]).describe('Only sockets with one of these ports; empty: all.'),
  ports_excluded: PortList.default([]).describe('No sockets with one of these ports.'),
  headers: Names.default([...DEFAULT_HEADERS]).describe(
    'Headers kept in rows (lower case); secrets are redacted whatever is listed.',
  ),
  headers_redacted: Names.default([]).describe(
    'Headers whose values are never kept, beside authorization, proxy-authorization, cookie, set-cookie and x-api-key.',
  ),
  query_redacted: Names.default([]).describe(
    'Parameters of a query whose values are never kept, beside the usual names of credentials (docs/capture.md).',
  ),
  network_spans: z
    .enum(NETWORK_SPANS)
    .default('off')
    .describe(
      'A row for each network interface that a request passes: off, requests (of processes seen here) or all (every TCP conversation whose beginning was seen).',
    ),
  network_interfaces: Names.default(['*']).describe(
    'Interfaces looked at for it, in every network namespace; * stands for any letters, loopback only when named: lo.',
  ),
  request_timeout_ms: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(3_600_000)
    .default(FLOW_LIMITS.requestTimeoutMs)
    .describe(
      'A request without an answer gives its row after so long, or when its connection ends.',
    ),
});
export type AgentSettings = z.infer<typeof AgentSettings>;
export const AGENT_ENVIRONMENT_PREFIX = 'THALWEG_AGENT_';
