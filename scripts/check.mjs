// Format, lint, types, boundaries, unused things, generated files: all of it, then one verdict.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import rules from '../.dependency-cruiser.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Fewer modules than this means that the boundary tool did not understand the sources. */
const MODULES_MIN = 60;
/** What a run found out is not found out again; a fresh clone, as CI has it, knows nothing. */
const CACHE = 'node_modules/.cache/check';
const failed = [];

const waiting = [];
const step = (name, command, args) => waiting.push({ name, command, args });

/** As many steps at once as there are cores; what a failed one printed comes in one piece. */
async function runSteps() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { name, command, args } = next;
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    const status = await new Promise((resolve) => child.on('close', resolve));
    if (status === 0) continue;
    failed.push(name);
    process.stdout.write(`--- ${name}\n${text}`);
  }
}

step('format and lint', 'npx', ['biome', 'check', '--error-on-warnings', '.']);
for (const room of readdirSync(`${root}packages`)) {
  for (const project of ['tsconfig.json', 'tsconfig.test.json']) {
    const path = `packages/${room}/${project}`;
    const known = ['--incremental', '--tsBuildInfoFile', `${CACHE}/${room}-${project}.tsbuildinfo`];
    if (existsSync(root + path)) step(`types of ${room}`, 'npx', ['tsc', '-p', path, ...known]);
  }
}
step('typed lint', 'npx', [
  'eslint',
  '--cache',
  '--cache-strategy',
  'content',
  '--cache-location',
  `${CACHE}/`,
  '.',
]);
step('unused', 'npx', ['knip', '--no-progress']);
step('generated files', 'node', ['scripts/gen.mjs', '--check']);

await Promise.all(Array.from({ length: availableParallelism() }, runSteps));
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
