export * from './api.ts';
export * from './column.ts';
export * from './ddl.ts';
export * from './enums.ts';
export { nearest, parseSettings, type SettingsResult } from './settings.ts';
export * from './tables/l7-flow-log.ts';
