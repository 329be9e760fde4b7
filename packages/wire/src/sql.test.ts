import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sqlWithoutLiterals } from './sql.ts';

test.each([
  { name: 'text', sql: "SELECT * FROM t WHERE a = 'it''s'", shown: 'SELECT * FROM t WHERE a = ?' },
  { name: 'numbers', sql: 'SELECT 1, -2.5, .5, 1e-9 FROM t2', shown: 'SELECT ?, -?, ?, ? FROM t2' },
  { name: 'parameters', sql: 'SELECT $1, a$2', shown: 'SELECT $1, a$2' },
  { name: 'names', sql: 'SELECT "Card 7" AS x1', shown: 'SELECT "Card 7" AS x1' },
  { name: 'escapes', sql: "SELECT E'a\\'secret' , X'ff', U&'s'", shown: 'SELECT ? , ?, ?' },
  { name: 'dollar quotes', sql: "DO $f$ 'x' $$ secret $f$; $$b$$", shown: 'DO ?; ?' },
  { name: 'comments', sql: "SELECT a -- 'secret'\n/* more */ FROM t", shown: 'SELECT a FROM t' },
  { name: 'a list', sql: "IN ('a','b', 3)", shown: 'IN (?,?, ?)' },
  { name: 'a literal that is cut', sql: "SELECT 'secr", shown: 'SELECT ?' },
  { name: 'a comment that is cut', sql: 'SELECT /* secr', shown: 'SELECT' },
])('$name', ({ sql, shown }) => {
  expect(sqlWithoutLiterals(sql)).toBe(shown);
});

test('no text literal is seen, whatever it holds and wherever the statement is cut', () => {
  const value = fc.string({
    unit: fc.constantFrom('S', 'É', ' ', "'", '$', '-', '/', '*', '"', '\n'),
  });
  fc.assert(
    fc.property(value, fc.nat(60), (text, cut) => {
      const sql = `insert into t values ('${text.replaceAll("'", "''")}', 5)`;
      expect(sqlWithoutLiterals(sql.slice(0, cut))).not.toMatch(/[SÉ5]/);
    }),
    { seed: 20_260_101 },
  );
});
