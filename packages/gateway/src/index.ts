export { GatewayConfigError, type ReadConfig, readGatewayConfig } from './config/config.ts';
export { type Gateway, type GatewayOptions, startGateway } from './main.ts';
