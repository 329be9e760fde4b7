import { createBatch, l7FlowLog } from '@thalweg/model';
import type { ProcessFacts, ProcessTable } from '../enrich/process-table.ts';
import type { Connection } from '../flow/exchange.ts';
import type { NetworkSpan, WireView } from '../network/network-span.ts';
import type { TracedExchange } from '../trace/resolver.ts';
import { createAttributeNames } from './attribute-names.ts';
import { writeNetworkSpan, writeView } from './network-row.ts';
import { createQueryMask } from './query-mask.ts';
import {
  CONNECTION_COLUMNS,
  type ConnectionSinks,
  type ExchangeSinks,
  type RowContext,
  writeConnection,
  writeExchange,
} from './row.ts';

/** A batch that fills: where rows gather between two flushes. */
export interface Rows {
  add(traced: TracedExchange): void;
  addNetwork(span: NetworkSpan): void;
  /** Hands on what has gathered, if anything. */
  flush(): void;
  /** Takes back the memory of a batch that nobody needs any more, for one to come. */
  reuse(memory: ArrayBuffer): void;
  /** Adds to the source's monotonic nanoseconds to give nanoseconds since the epoch. */
  setWallClockOffset(ns: number): void;
}

export interface RowsOptions {
  readonly agent: string;
  /** High half of every row id of this run. */
  readonly instance: number;
  readonly processes: ProcessTable;
  /** Parameters of a query, beside the usual ones, whose values are never kept. */
  readonly queryRedacted?: readonly string[];
  /** A Native block, in bytes that the callee owns. */
  readonly onBatch: (bytes: Uint8Array<ArrayBuffer>, rows: number) => void;
}

/** A batch of so many rows goes out before its time: about 4 MB. */
const BATCH_ROWS_MAX = 8_192;
/** Memory of batches that is kept: one fills while another is on its way. */
const SPARES_MAX = 2;

export function createRows({
  agent,
  instance,
  processes,
  queryRedacted,
  onBatch,
}: RowsOptions): Rows {
  const batch = createBatch(l7FlowLog, CONNECTION_COLUMNS);
  /** Where the batch holds what a connection's rows have in common. */
  const shares = new Map<Connection | WireView, number>();
  const spares: ArrayBuffer[] = [];
  let lastConnection: Connection | undefined;
  let lastShare = 0;
  let traced: TracedExchange | undefined;
  let connection: Connection | undefined;
  let facts: ProcessFacts;
  let span: NetworkSpan | undefined;
  const context: { -readonly [Key in keyof RowContext]: RowContext[Key] } = {
    wallClockOffsetNs: 0,
    idLow: 0,
    idHigh: instance,
    maskQuery: createQueryMask(queryRedacted),
    attributeNames: createAttributeNames(),
  };

  function writeShare(to: ConnectionSinks): void {
    if (connection !== undefined) writeConnection(to, connection, facts, agent);
  }

  function writeRow(to: ExchangeSinks): void {
    if (traced !== undefined) writeExchange(to, traced, context);
  }

  function writeViewShare(to: ConnectionSinks): void {
    if (span === undefined) return;
    writeView(to, span.view, { agent, host: processes.hostOf(span.view.netns) });
  }

  function writeNetworkRow(to: ExchangeSinks): void {
    if (span !== undefined) writeNetworkSpan(to, span, context);
  }

  function viewShareOf(view: WireView): number {
    const found = shares.get(view);
    if (found !== undefined) return found;
    const share = batch.share(writeViewShare);
    shares.set(view, share);
    return share;
  }

  function shareOf(of: Connection): number {
    if (of === lastConnection) return lastShare;
    let share = shares.get(of);
    if (share === undefined) {
      connection = of;
      facts = processes.facts(of.pid, of.comm, of.netns);
      share = batch.share(writeShare);
      shares.set(of, share);
    }
    lastConnection = of;
    lastShare = share;
    return share;
  }

  function flush(): void {
    if (batch.rows === 0) return;
    onBatch(batch.encode(spares.pop()), batch.rows);
    batch.clear();
    shares.clear();
    lastConnection = undefined;
  }

  return {
    add(one) {
      traced = one;
      context.idLow = (context.idLow + 1) >>> 0;
      batch.add(writeRow, shareOf(one.exchange.connection));
      if (batch.rows >= BATCH_ROWS_MAX) flush();
    },
    addNetwork(one) {
      span = one;
      context.idLow = (context.idLow + 1) >>> 0;
      batch.add(writeNetworkRow, viewShareOf(one.view));
      if (batch.rows >= BATCH_ROWS_MAX) flush();
    },
    flush,
    reuse(memory) {
      if (spares.length < SPARES_MAX) spares.push(memory);
    },
    setWallClockOffset(ns) {
      context.wallClockOffsetNs = ns;
    },
  };
}
