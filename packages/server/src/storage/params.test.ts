import { expect, test } from 'vitest';
import { withValues } from './params.ts';

test.each([
  {
    name: 'text that would end its quotes',
    sql: 'SELECT {a:String}',
    params: { a: "x' OR \\' 1\0" },
    want: "SELECT _CAST('x\\' OR \\\\\\' 1\\0', 'String')",
  },
  {
    name: 'ids',
    sql: 'SELECT 1 WHERE id IN { ids : Array(UInt64) }',
    params: { ids: ['1', 2] },
    want: "SELECT 1 WHERE id IN _CAST(['1','2'], 'Array(UInt64)')",
  },
  {
    name: 'a type with quotes',
    sql: "SELECT {t:DateTime64(6, 'UTC')}",
    params: { t: 5 },
    want: "SELECT _CAST('5', 'DateTime64(6, \\'UTC\\')')",
  },
  {
    name: 'a value that looks like a placeholder',
    sql: 'SELECT {a:String}, {b:String}',
    params: { a: '{b:String}', b: 'x' },
    want: "SELECT _CAST('{b:String}', 'String'), _CAST('x', 'String')",
  },
  ...["'{a:String}'", '"{a:String}"', '`{a:String}`', '/* {a:String} */', '-- {a:String}'].map(
    (text) => ({
      name: `none in ${text}`,
      sql: `S ${text}`,
      params: { a: 'x' },
      want: `S ${text}`,
    }),
  ),
  {
    name: 'quotes within quotes',
    sql: "SELECT 'it''s \\' {a:String}', {a:String}",
    params: { a: 'x' },
    want: "SELECT 'it''s \\' {a:String}', _CAST('x', 'String')",
  },
  { name: 'none given', sql: 'SELECT {a:String}', params: {}, want: 'SELECT {a:String}' },
])('placeholders of a statement: $name', ({ sql, params, want }) => {
  expect(withValues(sql, params)).toBe(want);
});
