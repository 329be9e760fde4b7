import { expect, test } from 'vitest';
import { BENCH_NAMES, runBench } from './index.ts';

test.each(BENCH_NAMES)('bench %s runs small, and each figure is a number', async (name) => {
  const report = await runBench(name, {
    isQuick: true,
    minutes: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
  });
  expect(report).toMatchObject({ bench: name, rows: expect.any(Array) });
  expect(report.rows.length).toBeGreaterThan(0);
  for (const row of report.rows) expect(row.value, `${row.case} ${row.metric}`).not.toBeNaN();
});
