import { z } from 'zod';
import type { AnyTable } from './column.ts';
import { TABLES } from './tables/tables.ts';

// How long and how much is kept of each table: what an operator may choose, and the shapes of
// `/api/retention`.

/** What a choice for one table may be. */
export interface RetentionRule {
  readonly unit: 'hours' | 'bytes';
  readonly min: number;
  readonly max: number;
}

/** Ten years; a cap of less than a megabyte is likelier a slip of the unit than meant. */
export const RETENTION_RULES = {
  hours: { unit: 'hours', min: 1, max: 87_600 },
  bytes: { unit: 'bytes', min: 1e6, max: Number.MAX_SAFE_INTEGER },
} as const satisfies Readonly<Record<string, RetentionRule>>;

const limit = ({ min, max }: RetentionRule, doc: string) =>
  z.record(
    z.string(),
    // Checked by hand, so that every mistake is named at once and with its table.
    z.unknown().meta({ type: ['integer', 'null'], minimum: min, maximum: max, description: doc }),
  );

/** PUT /api/retention: tables that are not named stay as they are; null takes a choice back. */
export const RetentionChange = z.strictObject({
  hours: limit(RETENTION_RULES.hours, 'Hours that rows are kept.').default({}),
  bytes: limit(RETENTION_RULES.bytes, 'Most bytes on disk of the table.').default({}),
});
export type RetentionChange = z.infer<typeof RetentionChange>;

export const RetentionOfTable = z.object({
  /** `database.table`. */
  table: z.string(),
  hours: z.number(),
  /** `followed`: another table's choice decides. */
  hoursFrom: z.enum(['declared', 'settings', 'changed', 'followed']),
  follows: z.array(z.string()),
  bytesMax: z.number().nullable(),
  bytesFrom: z.enum(['none', 'settings', 'changed']),
  rows: z.number(),
  bytes: z.number(),
  /** Since the server started, by the cap of bytes. */
  dropped: z.object({ partitions: z.number(), rows: z.number(), bytes: z.number() }),
});
export type RetentionOfTable = z.infer<typeof RetentionOfTable>;

export const RetentionAnswer = z.object({ tables: z.array(RetentionOfTable) });
export type RetentionAnswer = z.infer<typeof RetentionAnswer>;

/** As operators name it: `database.table`, unquoted. */
export function tableLabel({ database, name }: AnyTable): string {
  return `${database}.${name}`;
}

/** The declared table of a label or of a bare name. */
export function tableNamed(text: string): AnyTable | undefined {
  return TABLES.find((table) => table.name === text || tableLabel(table) === text);
}

/**
 * Hours that a table's rows are kept. `chosen` answers the operator's choice, or undefined; it is
 * not asked about tables that follow others.
 */
export function retentionHoursOf(
  table: AnyTable,
  chosen: (table: AnyTable) => number | undefined,
): number {
  const { retentionFollows = [], retentionHours } = table;
  if (retentionFollows.length === 0) return chosen(table) ?? retentionHours;
  const leaders = retentionFollows.map((name) => {
    const leader = tableNamed(name);
    if (leader === undefined) throw new Error(`BUG: ${table.name} follows no table ${name}`);
    return leader;
  });
  const declared = Math.max(...leaders.map((leader) => leader.retentionHours));
  const inForce = Math.max(...leaders.map((leader) => retentionHoursOf(leader, chosen)));
  return inForce + retentionHours - declared;
}
