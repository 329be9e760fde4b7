// Writes the files that derive from a declaration; `--check` fails when one is out of date.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isCheck = process.argv.includes('--check');
let stale = 0;
mkdirSync(`${root}docs/plugins`, { recursive: true });

/** Each page: the file, and the TypeScript program that prints it. */
const PAGES = [
  { file: 'docs/reference/tables.md', program: 'scripts/print-tables.ts' },
  { file: 'docs/reference/settings.md', program: 'scripts/print-settings.ts' },
  { file: 'packages/wire/src/prometheus/snappy.gen.ts', program: 'scripts/print-snappy.ts' },
];

// First: the programs below import sources that import it.
const events = ['packages/agent/scripts/generate-events.mjs', ...(isCheck ? ['--check'] : [])];
if (spawnSync('node', events, { cwd: root, stdio: 'inherit' }).status !== 0) stale += 1;

for (const { file, program } of PAGES) write(file, printedBy(program));

const plugins = JSON.parse(printedBy('scripts/print-plugins.ts'));
for (const [file, text] of plugins) write(file, text);
// The page of a plugin that is no more.
const files = new Set(plugins.map(([file]) => file));
for (const name of readdirSync(`${root}docs/plugins`)) {
  const file = `docs/plugins/${name}`;
  if (files.has(file)) continue;
  if (isCheck) {
    console.log(`${file} is of no plugin; fix: npm run gen`);
    stale += 1;
  } else rmSync(root + file);
}

process.exit(stale === 0 ? 0 : 1);

function printedBy(program) {
  const args = ['--conditions=@thalweg/source', '--import', 'tsx', program];
  const { status, stdout, stderr } = spawnSync('node', args, { cwd: root, encoding: 'utf8' });
  if (status === 0) return stdout;
  process.stderr.write(stderr);
  process.exit(1);
}

function write(file, text) {
  let current = '';
  try {
    current = readFileSync(root + file, 'utf8');
  } catch {
    // Not there yet: it is stale, or about to be written.
  }
  if (current === text) return;
  if (isCheck) {
    console.log(`${file} is out of date; fix: npm run gen`);
    stale += 1;
    return;
  }
  writeFileSync(root + file, text);
  console.log(`wrote ${file}`);
}
