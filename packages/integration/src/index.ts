export * from './telemetry-sink.ts';
