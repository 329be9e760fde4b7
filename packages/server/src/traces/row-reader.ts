import type { QueryResult } from '../storage/store.ts';

/** Named access to rows of an answer by position, without an object for each. */
export class RowReader {
  private readonly position: ReadonlyMap<string, number>;
  private readonly columns: QueryResult['columns'];

  constructor(columns: QueryResult['columns']) {
    this.columns = columns;
    this.position = new Map(columns.map(({ name }, at) => [name, at]));
  }

  text(row: readonly unknown[], name: string): string {
    return String(this.value(row, name) ?? '');
  }

  number(row: readonly unknown[], name: string): number {
    return Number(this.value(row, name));
  }

  list(row: readonly unknown[], name: string): readonly unknown[] {
    const value = this.value(row, name);
    return Array.isArray(value) ? value : [];
  }

  private value(row: readonly unknown[], name: string): unknown {
    return row[this.position.get(name) ?? -1];
  }

  /** What a row says, as text by column, without blank ones and `except`. */
  filled(row: readonly unknown[], except: ReadonlySet<string>): Record<string, string> {
    const fields: Record<string, string> = {};
    this.columns.forEach(({ name }, at) => {
      if (except.has(name)) return;
      const value = row[at];
      const text = Array.isArray(value) ? value.join(', ') : String(value);
      if (!isBlank(text)) fields[name] = text;
    });
    return fields;
  }
}

/** A column that a row says nothing in: an empty text or list, or zero. */
export function isBlank(text: string): boolean {
  return text === '' || text === '0';
}
