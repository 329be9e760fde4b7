import { defineConfig } from 'vitest/config';

const conditions = ['@thalweg/source', 'import', 'module', 'default'];
const source = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};
const slow = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  // A second, the default, is too short beside other work: rows are stored twice a second.
  expect: { poll: { timeout: 20_000 } },
  fileParallelism: false,
  globalSetup: 'scripts/bundle-for-tests.mjs',
};

/**
 * Projects by kind. unit: pure, no privileges. tidy: the style as a test. kernel: needs root and BPF.
 * e2e: real processes, store, browser. A file's name says its kind: x.test.ts, x.kernel.test.ts, x.e2e.test.ts.
 */
export default defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.{ts,tsx}', 'scripts/*.test.ts'],
          exclude: ['**/*.kernel.test.ts', '**/*.e2e.test.ts', '**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      { ...source, test: { name: 'tidy', include: ['scripts/tidy/*.test.ts'] } },
      {
        ...source,
        test: { name: 'kernel', include: ['packages/*/src/**/*.kernel.test.ts'], ...slow },
      },
      { ...source, test: { name: 'e2e', include: ['packages/*/src/**/*.e2e.test.ts'], ...slow } },
      {
        // The gateway once more, with Node's own sockets in place of the native ones.
        ...source,
        test: {
          name: 'e2e-node-sockets',
          include: ['packages/gateway/src/*.e2e.test.ts'],
          provide: { sockets: 'node' },
          ...slow,
        },
      },
    ],
  },
});
