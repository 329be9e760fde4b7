import type { AnyTable } from '@thalweg/model';

/** Hours for which the table's rows are kept, now: what is older need not be taken. */
export type HoursOf = (table: AnyTable) => number;

/** As declared, where nobody knows of another choice: on agents. */
export const declaredHours: HoursOf = ({ retentionHours }) => retentionHours;
