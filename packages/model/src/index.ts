export * from './api.ts';
export {
  type Batch,
  columnsFrom,
  createBatch,
  type RowOf,
  type Shareable,
  type SinksOf,
} from './batch.ts';
export type { Block, EncodedBlock } from './block.ts';
export { BLOCK_LIMITS, type BlockLimits } from './block-limits.ts';
export { selectRows } from './block-rows.ts';
export {
  doublesOf,
  floatsOf,
  idHalvesOf,
  idsOf,
  type TextRanges,
  textRangesOf,
  timeRangeOf,
  timesOf,
  valuesOf,
} from './block-values.ts';
export { type Catalogue, type CatalogueEntry, catalogueOf } from './catalogue.ts';
export * from './column.ts';
export { blockOfColumns } from './column-block.ts';
export type { ColumnValue, KindValue } from './column-builder.ts';
export * from './ddl.ts';
export { tablesPage } from './docs.ts';
export * from './enums.ts';
export * from './log-api.ts';
export {
  type BlockFault,
  type BlockResult,
  type ReadOptions,
  readBlock,
  withColumns,
} from './native-block.ts';
export * from './retention.ts';
export {
  environmentSource,
  isSecret,
  nearest,
  parseSettings,
  type SettingsResult,
  type SettingsSource,
} from './settings.ts';
export { type SettingsPart, settingsPage } from './settings-docs.ts';
export { titleOf } from './span-title.ts';
export * from './tables/application-log.ts';
export * from './tables/in-process-profile.ts';
export * from './tables/l7-flow-log.ts';
export * from './tables/link-calibration.ts';
export * from './tables/prometheus.ts';
export { TABLES } from './tables/tables.ts';
