// Format, lint, types, boundaries, unused things, generated files: all of it, then one verdict.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import rules from '../.dependency-cruiser.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Fewer modules than this means that the boundary tool did not understand the sources. */
const MODULES_MIN = 60;
const failed = [];

function step(name, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status === 0) return;
  failed.push(name);
  process.stdout.write(`--- ${name}\n${stdout}${stderr}`);
}

step('format and lint', 'npx', ['biome', 'check', '--error-on-warnings', '.']);
for (const room of readdirSync(`${root}packages`)) {
  for (const project of ['tsconfig.json', 'tsconfig.test.json']) {
    const path = `packages/${room}/${project}`;
    if (existsSync(root + path)) step(`types of ${room}`, 'npx', ['tsc', '-p', path]);
  }
}
step('typed lint', 'npx', ['eslint', '.']);
step('unused', 'npx', ['knip', '--no-progress']);
step('generated files', 'node', ['scripts/gen.mjs', '--check']);

process.chdir(root);
const { output } = await cruise(['packages'], { ruleSet: rules, ...rules.options });
const { totalCruised, violations } = output.summary;
for (const { rule, from, to } of violations)
  console.log(`--- rooms: ${rule.name}: ${from} -> ${to}`);
if (violations.length > 0 || totalCruised < MODULES_MIN) {
  failed.push(`rooms (${totalCruised} modules seen, at least ${MODULES_MIN} expected)`);
}

console.log(failed.length === 0 ? 'check: all well' : `check: failed: ${failed.join('; ')}`);
process.exit(failed.length === 0 ? 0 : 1);
