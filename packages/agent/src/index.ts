export type { CaptureFilter } from './capture-messages.ts';
export { AGENT_ENVIRONMENT_PREFIX, AgentSettings } from './config.ts';
export { type Agent, AgentError, startAgent } from './main.ts';
export type { AgentStatus } from './status-server.ts';
