export { SERVER_ENVIRONMENT_PREFIX, ServerSettings } from './config.ts';
export { StartError } from './errors.ts';
export { type Server, startServer } from './main.ts';
