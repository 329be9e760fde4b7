export * from './series-source.ts';
