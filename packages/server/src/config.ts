import { RETENTION_RULES, type RetentionRule } from '@thalweg/model';
import { z } from 'zod';
import { type Choices, readChoices } from './storage/retention-choice.ts';

/** A number for each table; in the environment `table=number,…`. */
const perTable = (rule: RetentionRule) =>
  z.union([z.record(z.string(), z.unknown()), z.string()]).transform((given, context): Choices => {
    const read = readChoices(given, rule);
    if (!isMistakes(read)) return read;
    for (const message of read) context.addIssue(message);
    return z.NEVER;
  });

const isMistakes = (read: Choices | readonly string[]): read is readonly string[] =>
  Array.isArray(read);

const ReceiverPort = z
  .union([z.literal('off'), z.coerce.number().int().min(0).max(65_535)])
  .optional();

/** Every key of the server: default, limits, meaning. Environment: THALWEG_SERVER_<KEY>. */
export const ServerSettings = z.object({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on; wider than loopback needs a token.'),
  port: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(20_416)
    .describe('Port of UI, API and ingest; 0 picks one.'),
  otlp_grpc_port: ReceiverPort.describe(
    'Port of OTLP gRPC: 4317, or any when port is 0; 0 picks one, off closes it.',
  ),
  otlp_http_port: ReceiverPort.describe(
    'Port of OTLP HTTP: 4318, or any when port is 0; 0 picks one, off closes it.',
  ),
  skywalking_grpc_port: ReceiverPort.describe(
    'Port of SkyWalking gRPC: 11800, or any when port is 0; 0 picks one, off closes it.',
  ),
  otlp_tls_cert_file: z
    .string()
    .optional()
    .describe('Certificate (PEM) of OTLP gRPC, OTLP HTTP and SkyWalking gRPC; none: plain.'),
  otlp_tls_key_file: z
    .string()
    .optional()
    .describe('Its key (PEM). Both are read again when they change.'),
  token: z
    .string()
    .min(16)
    .optional()
    .describe('Bearer token that every request must carry.')
    .meta({ isSecret: true }),
  data_dir: z
    .string()
    .min(1)
    .default('/var/lib/thalweg/data')
    .describe('Directory of the store and the spool.'),
  clickhouse_url: z
    .url()
    .optional()
    .describe('A ClickHouse to use in place of the embedded store.'),
  clickhouse_user: z.string().optional().describe('Its user.'),
  clickhouse_password: z.string().optional().describe('Its password.').meta({ isSecret: true }),
  memory_bytes_max: z.coerce
    .number()
    .int()
    .min(256e6)
    .optional()
    .describe("Cap of the embedded store's memory; 30 % of the machine's."),
  spool_bytes_max: z.coerce
    .number()
    .int()
    .min(1e6)
    .default(2 * 2 ** 30)
    .describe('Cap of acknowledged rows that wait for the store.'),
  retention_hours: perTable(RETENTION_RULES.hours)
    .default({})
    .describe('Hours that rows are kept, by table; `thalweg retention` changes it while running.')
    .meta({ defaultDoc: '[as declared](tables.md)' }),
  retention_bytes: perTable(RETENTION_RULES.bytes)
    .default({})
    .describe('Most bytes on disk, by table: past it the oldest partitions go, never the newest.')
    .meta({ defaultDoc: 'no cap' }),
  body_bytes_max: z.coerce
    .number()
    .int()
    .min(1e5)
    .max(256e6)
    .default(64e6)
    .describe('Largest body of a request.'),
  self_scrape_s: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_600)
    .default(15)
    .describe("Seconds between samples of the server's own metrics, kept as series; 0: none."),
});
export type ServerSettings = z.infer<typeof ServerSettings>;
export const SERVER_ENVIRONMENT_PREFIX = 'THALWEG_SERVER_';
