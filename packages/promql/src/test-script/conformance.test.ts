import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runScript } from './run-script.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const folder = join(root, '../shared/conformance/promqltest');
if (!existsSync(folder)) throw new Error(`this test reads ${folder}: put the shared folder there`);
const files = readdirSync(folder).filter((name) => name.endsWith('.test'));

/** Evaluations that need experimental syntax which is not built; the reason stands beside each. */
const SKIPPED: readonly string[] = [];

test('the scripts are there', () => {
  expect(files.length).toBeGreaterThanOrEqual(8);
});

test.each(files)('%s: no evaluation fails, and only named ones are skipped', async (name) => {
  const report = await runScript(readFileSync(join(folder, name), 'utf8'));
  expect(report.failed).toEqual([]);
  expect(report.skipped.filter(({ query }) => !SKIPPED.includes(query))).toEqual([]);
  expect(report.passed).toBeGreaterThan(10);
});
