import { protoCursor } from '@thalweg/wire';
import { expect, test } from 'vitest';
import { MEANING_OF } from './conventions.ts';
import { createNameTable, type NameTable } from './name-table.ts';

const bytesOf = new TextEncoder();

function look(table: NameTable, name: string): { text: string; code: number } {
  const bytes = bytesOf.encode(`<${name}>`);
  const number = table.numberOf(protoCursor(bytes), 1, bytes.length - 1);
  return { text: table.textOf(number), code: table.codeOf(number) };
}

test('every name keeps its text and meaning, however many a sender makes up', () => {
  const table = createNameTable(7);
  const known = [...MEANING_OF].map(([text, code]) => ({ text, code }));
  for (let round = 0; round < 3; round += 1) {
    table.open();
    expect(known.map(({ text }) => look(table, text))).toEqual(known);
    for (let made = 0; made < 10_000; made += 1) {
      const text = `made.up.${round}.${made}`;
      expect(look(table, text)).toEqual({ text, code: -1 });
    }
  }
});
