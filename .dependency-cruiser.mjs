// The rooms of docs/architecture.md, as rules. The check fails when it saw too few modules.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  comment: `${from} may import ${allowed.length === 0 ? 'no other package' : allowed.join(', ')}`,
  from: { path: `^packages/${from}/src` },
  to: { path: '^packages/', pathNot: [from, ...allowed].map((room) => `^packages/${room}/`) },
});

export default {
  forbidden: [
    only('model-alone', 'model', []),
    only('wire-alone', 'wire', []),
    only('integration', 'integration', ['wire', 'model']),
    only('promql', 'promql', ['model']),
    only('agent', 'agent', ['wire', 'model', 'integration']),
    only('server', 'server', ['model', 'wire', 'promql', 'integration']),
    only('gateway', 'gateway', ['wire', 'model']),
    only('web', 'web', ['model', 'promql']),
    only('demo', 'demo', ['agent', 'server']),
    {
      name: 'no-node-in-leaves',
      severity: 'error',
      comment: 'model, wire and promql run anywhere: no Node in their sources',
      from: { path: '^packages/(model|wire|promql)/src', pathNot: '\\.(test|bench)\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'a cycle has no first file to read',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'store-engine-in-one-room',
      severity: 'error',
      comment: 'the store is spoken to through server/storage only',
      from: { path: '^packages/', pathNot: '^packages/server/src/storage' },
      to: { path: 'node_modules/(chdb|@clickhouse)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(dist|build)/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['@thalweg/source', 'import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
