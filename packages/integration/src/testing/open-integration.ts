import { readFileSync } from 'node:fs';
import { readBlock, TABLES, valuesOf } from '@thalweg/model';
import { listenHttp } from '../door/listen.ts';
import { listenGrpc } from '../grpc/grpc-server.ts';
import { createIntegration, type Integration } from '../integration.ts';
import type { Kept } from '../telemetry-sink.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface OpenIntegration {
  readonly url: string;
  /** `127.0.0.1:PORT`, plain HTTP/2. */
  readonly grpcAddress: string;
  readonly integration: Integration;
  /** Rows kept so far, by table. */
  rows(table: string): readonly Row[];
  close(): Promise<void>;
}

/** The receivers behind a real listener on loopback; what they keep is read back from its blocks. */
export async function openIntegration(options: {
  readonly now: () => number;
  /** How a `keep` ends; `kept` when absent. */
  readonly outcome?: () => Kept;
}): Promise<OpenIntegration> {
  const kept = new Map<string, Row[]>();
  const integration = createIntegration({
    sink: {
      keep: async (batches) => {
        const outcome = options.outcome?.() ?? { status: 'kept' };
        if (outcome.status !== 'kept') return outcome;
        for (const { table, block } of batches) {
          kept.set(table, [...(kept.get(table) ?? []), ...rowsOf(table, block.bytes)]);
        }
        return outcome;
      },
    },
    token: undefined,
    agent: 'test',
    instance: 7,
    now: options.now,
    limits: { flushMs: 1 },
  });
  const { door } = integration;
  const listener = await listenHttp(
    { host: '127.0.0.1', port: 0, accounts: door.accounts },
    (request, response) => void door.handle(request, response),
  );
  const grpc = await listenGrpc({
    host: '127.0.0.1',
    port: 0,
    methods: integration.methods,
    token: undefined,
    tls: undefined,
    accounts: door.accounts,
  });
  return {
    url: listener.url,
    grpcAddress: `127.0.0.1:${grpc.port}`,
    integration,
    rows: (table) => kept.get(table) ?? [],
    close: async () => {
      await listener.close();
      await grpc.close();
      await integration.close();
    },
  };
}

function rowsOf(name: string, bytes: Uint8Array): Row[] {
  const table = TABLES.find((one) => one.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  const read = readBlock(table, bytes, { columns: 'agent' });
  if (read.kind === 'invalid') throw new Error(read.message);
  const { block } = read;
  const columns = [...block.columns.keys()].map(
    (column) => [column, valuesOf(block, column)] as const,
  );
  return Array.from({ length: block.rows }, (_, row) =>
    Object.fromEntries(columns.map(([column, values]) => [column, values[row]])),
  );
}

const PAYLOADS = new URL('../../../../../shared/conformance/apisix/payloads/', import.meta.url);

/** A body that a real APISIX sent. */
export function recordedPayload(path: string): Buffer {
  try {
    return readFileSync(new URL(path, PAYLOADS));
  } catch (cause) {
    throw new Error(`this test reads recordings that are not here: ${PAYLOADS.pathname}${path}`, {
      cause,
    });
  }
}
