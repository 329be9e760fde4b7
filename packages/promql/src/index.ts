export * from './evaluate/query.ts';
export type { Expression, PositionRange, ValueType } from './parse/ast.ts';
export { typeOf } from './parse/ast.ts';
export { formatDuration, formatPlain, parseDuration } from './parse/numbers.ts';
export type { ParseError } from './parse/parse-error.ts';
export { type Json, toAstJson } from './print/ast-json.ts';
export * from './promql.ts';
export * from './series-source.ts';
