import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refusalOf } from '../storage/sql-guard.ts';
import { generateSql } from './generate.ts';
import { parseSql } from './parse.ts';
import { SqlError } from './tokens.ts';

function generated(sql: string): string {
  const statement = parseSql(sql);
  return statement.kind === 'select'
    ? generateSql(statement.select, { database: undefined, precision: '1m' }).sql
    : '';
}

/** Words of the dialect among words that must never get through. */
const WORDS = [
  ...['SELECT', 'FROM', 'WHERE', 'GROUP BY', 'LIMIT 1', 'l7_flow_log', 'app_service', 'Count(row)'],
  ...['=', '(', ')', ',', '*', "'x'", "'", '`', '\\', '1', 'AND', 'AS n', 'IN', 'LIKE'],
  ...[';', '--', '/*', '*/', "INTO OUTFILE '/tmp/x'", 'SETTINGS readonly=0', 'FORMAT CSV'],
  ...["file('/etc/passwd')", "url('http://x')", 'system.tables', 'UNION ALL', '{x:UInt8}', '$$'],
];

test('nothing but the tree of a statement reaches the store', () => {
  const words = fc
    .array(fc.constantFrom(...WORDS), { maxLength: 14 })
    .map((list) => list.join(' '));
  const valid = words.map(
    (tail) => `SELECT app_service FROM l7_flow_log WHERE app_service = ${tail}`,
  );
  fc.assert(
    fc.property(fc.oneof(words, valid), (sql) => {
      let text: string;
      try {
        text = generated(sql);
      } catch (error) {
        expect(error).toBeInstanceOf(SqlError);
        return;
      }
      const bare = text.replace(/'(?:[^'\\]|\\[\s\S])*'/g, "''");
      expect(bare).not.toMatch(
        /[;#$"{}]|--|\/\*|OUTFILE|SETTINGS|FORMAT|file\(|url\(|UNION|system/i,
      );
      if (text !== '') expect(refusalOf(text, 'read')).toBeUndefined();
    }),
    { seed: 7, numRuns: 5_000 },
  );
});

test.each([
  { sql: 'SELECT app_servce FROM l7_flow_log', position: 7 },
  { sql: 'SELECT app_service FROM nowhere', position: 24 },
  { sql: 'DROP TABLE l7_flow_log', position: 0 },
])('$sql is refused at its place', ({ sql, position }) => {
  expect(() => generated(sql)).toThrow(expect.objectContaining({ position }));
});
