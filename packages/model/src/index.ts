export * from './api.ts';
export * from './column.ts';
export * from './enums.ts';
export * from './tables/l7-flow-log.ts';
export { nearest, parseSettings, type SettingsResult } from './settings.ts';
