import { join } from 'node:path';
import {
  type AnyTable,
  type RetentionAnswer,
  type RetentionOfTable,
  retentionHoursOf,
  retentionStatements,
  TABLES,
  tableLabel,
} from '@thalweg/model';
import { type DroppedPartition, dropOldestPartitions } from './byte-cap.ts';
import { type ChoiceEdits, editedChoices, type RetentionChoices } from './retention-choice.ts';
import { readRetentionFile, writeRetentionFile } from './retention-file.ts';
import type { Store } from './store.ts';
import { tableSizes } from './table-sizes.ts';

export type RetentionEvent =
  | (DroppedPartition & { readonly kind: 'dropped'; readonly table: string })
  | { readonly kind: 'hours'; readonly table: string; readonly hours: number }
  | { readonly kind: 'failed'; readonly err: unknown };

export type DroppedOf = RetentionOfTable['dropped'];

/** How long and how much is kept of each table: declared, over it settings, over both changes. */
export interface Retention {
  /** In force now; what ingest checks rows against. */
  hoursOf(table: AnyTable): number;
  /** Each table's rules and what it takes of the disk. */
  read(): Promise<RetentionAnswer>;
  /**
   * Keeps the change on disk, then brings the store in line. Rejects with the disk's error (nothing
   * is changed then), or the store's: the next round tries again.
   */
  change(edits: { readonly hours: ChoiceEdits; readonly bytes: ChoiceEdits }): Promise<void>;
  /** Brings the store in line: hours where they differ, then the caps. One round at a time. */
  enforce(): Promise<void>;
  /** A round each minute until `close`; `report` hears what was done and what failed. */
  start(report: (event: RetentionEvent) => void): void;
  /** What caps dropped since the start, by table; tables without a loss are left out. */
  dropped(): ReadonlyMap<string, DroppedOf>;
  close(): Promise<void>;
}

const ROUND_MS = 60_000;
const NOTHING: DroppedOf = { partitions: 0, rows: 0, bytes: 0 };

/** Reads what was changed earlier. Throws `StartError` when that file is damaged. */
export function openRetention(options: {
  readonly store: Store;
  readonly dataDir: string;
  readonly settings: RetentionChoices;
}): Retention {
  const { store, settings } = options;
  const path = join(options.dataDir, 'retention.json');
  let changed = readRetentionFile(path);
  const dropped = new Map<string, DroppedOf>();
  let report: (event: RetentionEvent) => void = () => undefined;
  let last: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const hoursOf = (table: AnyTable): number =>
    retentionHoursOf(table, (one) => {
      const label = tableLabel(one);
      return changed.hours[label] ?? settings.hours[label];
    });
  const bytesMaxOf = (label: string): number | undefined =>
    changed.bytes[label] ?? settings.bytes[label];

  async function round(): Promise<void> {
    const stored = await storedHours(store);
    for (const table of TABLES) {
      const hours = hoursOf(table);
      if (stored.get(tableLabel(table)) === hours) continue;
      for (const statement of retentionStatements(table, hours)) await store.execute(statement);
      report({ kind: 'hours', table: tableLabel(table), hours });
    }
    for (const table of TABLES) {
      const label = tableLabel(table);
      const bytesMax = bytesMaxOf(label);
      if (bytesMax === undefined) continue;
      await dropOldestPartitions(store, table, bytesMax, (one) => {
        dropped.set(label, sum(dropped.get(label), one));
        report({ kind: 'dropped', table: label, ...one });
      });
    }
  }

  function enforce(): Promise<void> {
    const work = last.then(round);
    last = work.catch(() => undefined); // Its caller has the failure.
    return work;
  }

  let isTicking = false;
  function tick(): void {
    if (isTicking) return;
    isTicking = true;
    enforce()
      .catch((err: unknown) => report({ kind: 'failed', err }))
      .finally(() => {
        isTicking = false;
      });
  }

  async function read(): Promise<RetentionAnswer> {
    const sizes = new Map((await tableSizes(store)).map((size) => [size.table, size]));
    const tables = TABLES.map((table): RetentionOfTable => {
      const label = tableLabel(table);
      const { rows, bytes } = sizes.get(label) ?? NOTHING;
      const { retentionFollows = [] } = table;
      const ofHours = originOf(label, changed.hours, settings.hours);
      return {
        table: label,
        hours: hoursOf(table),
        hoursFrom: retentionFollows.length > 0 ? 'followed' : (ofHours ?? 'declared'),
        follows: [...retentionFollows],
        bytesMax: bytesMaxOf(label) ?? null,
        bytesFrom: originOf(label, changed.bytes, settings.bytes) ?? 'none',
        rows,
        bytes,
        dropped: dropped.get(label) ?? NOTHING,
      };
    });
    return { tables };
  }

  return {
    hoursOf,
    read,
    change: async (edits) => {
      const next = {
        hours: editedChoices(changed.hours, edits.hours),
        bytes: editedChoices(changed.bytes, edits.bytes),
      };
      writeRetentionFile(path, next);
      changed = next;
      await enforce();
    },
    enforce,
    start: (listener) => {
      report = listener;
      timer ??= setInterval(tick, ROUND_MS);
      tick();
    },
    dropped: () => dropped,
    close: async () => {
      clearInterval(timer);
      await last;
    },
  };
}

function originOf(
  label: string,
  changed: RetentionChoices['hours'],
  settings: RetentionChoices['hours'],
): 'changed' | 'settings' | undefined {
  if (changed[label] !== undefined) return 'changed';
  return settings[label] === undefined ? undefined : 'settings';
}

function sum(before: DroppedOf = NOTHING, { rows, bytes }: DroppedPartition): DroppedOf {
  return {
    partitions: before.partitions + 1,
    rows: before.rows + rows,
    bytes: before.bytes + bytes,
  };
}

/** The hours of each table's TTL as the store has it. */
async function storedHours(store: Store): Promise<ReadonlyMap<string, number>> {
  const { rows } = await store.query(
    `SELECT concat(database, '.', name),
       toUInt32OrZero(extract(engine_full, 'TTL .*\\\\+ toIntervalHour\\\\(([0-9]+)\\\\)'))
     FROM system.tables WHERE database IN {databases:Array(String)}`,
    { params: { databases: [...new Set(TABLES.map(({ database }) => database))] } },
  );
  return new Map(rows.map(([table, hours]) => [String(table), Number(hours)]));
}
