import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Kernel and e2e tests run workers and child processes from the bundles: make them fresh. */
export function setup() {
  const script = fileURLToPath(new URL('build.mjs', import.meta.url));
  execFileSync('node', [script, 'bundle'], { stdio: 'inherit' });
}
