// Prints docs/reference/settings.md from the schemas of the agent's and the server's settings.
import { AGENT_ENVIRONMENT_PREFIX, AgentSettings } from '@thalweg/agent';
import { settingsPage } from '@thalweg/model';
import { SERVER_ENVIRONMENT_PREFIX, ServerSettings } from '@thalweg/server';

const parts = [
  { name: 'agent', prefix: AGENT_ENVIRONMENT_PREFIX, schema: AgentSettings },
  { name: 'server', prefix: SERVER_ENVIRONMENT_PREFIX, schema: ServerSettings },
];
process.stdout.write(settingsPage(parts));
