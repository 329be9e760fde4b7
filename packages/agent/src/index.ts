export type { AgentStatus } from './agent-door.ts';
export type { CaptureFilter } from './capture-messages.ts';
export { AGENT_ENVIRONMENT_PREFIX, AgentSettings } from './config.ts';
export { createProcessTable } from './enrich/process-table.ts';
export { createRows } from './export/rows.ts';
export { createFlow } from './flow/flow.ts';
export { openCapture } from './kernel/capture.ts';
export { type Generator, openGenerator } from './kernel/generator.ts';
export { RUNGS, type Rung } from './kernel/ladder.ts';
export { type Listener, listListeners } from './kernel/listeners.ts';
export { openPackets } from './kernel/packets.ts';
export { type Feature, probeFeatures } from './kernel/probe.ts';
export { type Agent, AgentError, type AgentOptions, startAgent } from './main.ts';
export type { ExchangeRecord } from './replay/exchange-record.ts';

export { type ReplaySummary, replayBytes, replayFile } from './replay/replay.ts';

export { createResolver } from './trace/resolver.ts';
