import { readGatewayConfig, startGateway } from '@thalweg/gateway';
import type { Command } from '../command.ts';
import { untilStopped } from '../until-stopped.ts';

const SOCKETS = ['native', 'node'] as const;

export const gateway: Command = {
  name: 'gateway',
  summary: "Runs the gateway: an HTTP proxy with APISIX's Admin API and plugins.",
  positionals: [],
  options: {
    config: {
      type: 'string',
      value: 'FILE',
      doc: "APISIX's config.yaml, YAML or JSON; docs/gateway.md says which keys have a meaning",
    },
    data: {
      type: 'string',
      value: 'DIR',
      doc: 'directory of the admin key, and of the stored objects unless the configuration names an etcd',
      default: '/var/lib/thalweg/gateway',
    },
    standalone: {
      type: 'string',
      value: 'FILE',
      doc: 'every object in one YAML file, read again when it changes; without Admin API',
    },
    sockets: {
      type: 'choice',
      choices: SOCKETS,
      doc: "what carries plain TCP: native, at less CPU a request, or node for Node's own",
      default: 'native',
    },
  },
  examples: ['thalweg gateway', 'thalweg gateway --config config.yaml --data ./gateway-data'],
  async run({ values, terminal, environment, signal }) {
    const { config, ignored } = readGatewayConfig(values.text('config'), environment);
    if (ignored.length > 0) {
      terminal.note(`gateway: without meaning here, not obeyed: ${ignored.join(', ')}`);
    }
    const standaloneFile = values.text('standalone');
    const running = await startGateway({
      config,
      sockets: values.choice('sockets', SOCKETS) ?? 'native',
      dataFolder: values.text('data') ?? '/var/lib/thalweg/gateway',
      environment,
      warn: (message) => terminal.note(`gateway: ${message}`),
      ...(standaloneFile === undefined ? {} : { standaloneFile }),
    });
    if (running.newKey !== undefined) {
      const { key, path } = running.newKey;
      terminal.note(`gateway: admin key, shown this once: ${key} (kept in ${path})`);
    }
    const { etcd } = config.deployment;
    if (etcd !== undefined && standaloneFile === undefined) {
      terminal.note(`gateway: objects in etcd ${etcd.host.join(', ')} under ${etcd.prefix}`);
    }
    terminal.note(`gateway: ${running.proxies.join(', ')}`);
    if (running.streams.length > 0) {
      terminal.note(`gateway: streams ${running.streams.join(', ')}`);
    }
    if (running.adminUrl !== undefined) terminal.note(`gateway: admin ${running.adminUrl}`);
    if (running.controlUrl !== undefined) terminal.note(`gateway: control ${running.controlUrl}`);
    for (const url of running.pluginUrls) terminal.note(`gateway: metrics ${url}`);
    await untilStopped(signal);
    terminal.note('gateway: stopping, requests under way are answered');
    await running.close();
  },
};
