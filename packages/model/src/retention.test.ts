import { expect, test } from 'vitest';
import { retentionHoursOf, tableNamed } from './retention.ts';
import { TABLES } from './tables/tables.ts';

test('without a choice each table is kept as declared', () => {
  expect(TABLES.map((table) => retentionHoursOf(table, () => undefined))).toEqual(
    TABLES.map(({ retentionHours }) => retentionHours),
  );
});

test.each([
  { chosen: { l7_flow_log: 1 }, table: 'trace_index', hours: 1 },
  { chosen: { l7_flow_log: 720 }, table: 'flow_log.trace_alias', hours: 720 },
  { chosen: { in_process: 10 }, table: 'in_process_stack', hours: 34 },
  { chosen: { samples: 10, histograms: 20, exemplars: 5 }, table: 'series', hours: 20 },
  { chosen: { samples: 10 }, table: 'metadata', hours: 168 },
])('$table follows the tables that it explains: $chosen', ({ chosen, table, hours }) => {
  const found = tableNamed(table);
  const choices: Readonly<Record<string, number>> = chosen;
  expect(found && retentionHoursOf(found, ({ name }) => choices[name])).toBe(hours);
});

test('no table follows one that follows another', () => {
  const leaders = TABLES.flatMap(({ retentionFollows = [] }) => retentionFollows);
  expect(leaders.map((name) => tableNamed(name)?.retentionFollows)).toEqual(
    leaders.map(() => undefined),
  );
});
