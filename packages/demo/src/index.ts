export { checkDemo, type Demo, type DemoOptions, startDemo } from './demo.ts';
export { DemoError } from './demo-error.ts';
export type { LoadReport } from './load-report.ts';
export { makeRunFolder, type RunFolder } from './run-folder.ts';
export { expectedSpans } from './shop.ts';
