import type {
  Background,
  Handlers,
  JsonSchema,
  Plugin,
  PluginEnvironment,
  PluginListener,
  PublicApi,
} from '../plugins/plugin.ts';
import { type Hub, heldState } from '../workers/hub.ts';
import type { PlacedConf } from './chain.ts';
import type { PluginConf, UpstreamObject } from './objects.ts';
import type { Upstream } from './upstream.ts';

export interface PluginHostParts {
  readonly plugins: readonly Plugin[];
  readonly attributes: Readonly<Record<string, PluginConf>>;
  metadata(name: string): PluginConf | undefined;
  /** A copy of `conf` with the defaults of `schema` filled in. */
  withDefaults(schema: JsonSchema, conf: PluginConf): PluginConf;
  /** What is wrong with it; undefined when nothing is. */
  violation(plugin: Plugin, conf: PluginConf): string | undefined;
  upstream(given: UpstreamObject | { readonly id: string }, name: string): Upstream | undefined;
  readonly consumers: PluginEnvironment['consumers'];
  readonly proto: PluginEnvironment['proto'];
  readonly facts: PluginEnvironment['facts'];
  readonly batches: PluginEnvironment['batches'];
  readonly ownLog: PluginEnvironment['ownLog'];
  /** This process is the first one. */
  readonly hasBackground: boolean;
  readonly hub: Hub;
  now(): number;
  warn(message: string): void;
}

/** Makes plugins' instances, and keeps one as long as its configuration says the same. */
export interface PluginHost {
  find(name: string): Plugin | undefined;
  instance(plugin: Plugin, placed: PlacedConf): Handlers;
  publicApi(method: string, path: string): PublicApi | undefined;
  /** The ports that plugins want beside the proxy's. */
  readonly listeners: readonly PluginListener[];
  /** Every instance of `kind/id` is closed. */
  forget(kind: string, id: string): void;
  /** Metadata of a plugin has changed: its instances are made anew. */
  renew(name: string): void;
  /** A secret is another one than before: instances of configurations that refer to one are made anew. */
  renewSecrets(): void;
  close(): Promise<void>;
}

interface Instance {
  readonly json: string;
  readonly handlers: Handlers;
}

export function createPluginHost(parts: PluginHostParts): PluginHost {
  const { hub } = parts;
  const byName = new Map(parts.plugins.map((plugin) => [plugin.name, plugin]));
  const instances = new Map<string, Instance>();
  const shared = new Map<string, unknown>();
  const lasting = new Map<string, unknown>();
  const own = parts.plugins.map((plugin) => ({
    plugin,
    environment: environmentOf(plugin, { kind: 'gateway', id: plugin.name }),
  }));
  const apis = own.flatMap(({ plugin, environment }) => plugin.publicApis(environment));
  const listeners = own.flatMap(({ plugin, environment }) => plugin.listener(environment) ?? []);

  const backgrounds = new Map<string, Background>();
  for (const { plugin, environment } of parts.hasBackground ? own : []) {
    const background = plugin.background(environment);
    if (background !== undefined) backgrounds.set(plugin.name, background);
  }

  for (const { plugin, environment } of own) {
    hub.topic(`plugin ${plugin.name}`, {
      answer: (question) => plugin.respond(question, environment),
      ...(plugin.fold === undefined ? {} : { fold: plugin.fold }),
    });
  }

  function environmentOf(plugin: Plugin, origin: PluginEnvironment['origin']): PluginEnvironment {
    return {
      origin,
      metadata: () => parts.metadata(plugin.name),
      settings() {
        const metadata = parts.metadata(plugin.name);
        if (metadata === undefined) return undefined;
        return parts.withDefaults(plugin.metadataSchema ?? {}, metadata);
      },
      attributes: parts.attributes[plugin.name] ?? {},
      consumers: parts.consumers,
      now: parts.now,
      upstream: (given) => parts.upstream(given, `/apisix/${origin.kind}/${origin.id}`),
      plugin: (name, conf) => nested(name, conf, origin),
      publicApi,
      proto: parts.proto,
      shared: (key, make) => sharedState(`${plugin.name} ${key}`, make),
      lasting: (make) => lastingState(plugin.name, make),
      common: (kind, key, settings) => hub.common(kind, `${plugin.name} ${key}`, settings),
      process: hub.process,
      askAll: (question) => hub.ask(`plugin ${plugin.name}`, question),
      batches: parts.batches,
      ownLog: parts.ownLog,
      facts: parts.facts,
      warn: (message) => parts.warn(`${plugin.name}: ${message}`),
    };
  }

  function nested(name: string, conf: PluginConf, origin: PluginEnvironment['origin']) {
    const plugin = byName.get(name);
    if (plugin === undefined) return `unknown plugin [${name}]`;
    const violation = parts.violation(plugin, conf);
    if (violation !== undefined) return violation;
    return made(plugin, { conf, origin });
  }

  /**
   * One that cannot be made, after all checks, fails each request that it would take part in; one that
   * only watches takes no part.
   */
  function made(plugin: Plugin, { conf, origin }: PlacedConf): Handlers {
    try {
      return plugin.create(parts.withDefaults(plugin.schema, conf), environmentOf(plugin, origin));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const failure = `${plugin.name} of ${origin.kind}/${origin.id} cannot be made: ${why}`;
      if (plugin.observes) {
        parts.warn(failure);
        return {};
      }
      const fail = (): never => {
        throw new Error(failure);
      };
      return { rewrite: fail, access: fail };
    }
  }

  function sharedState<State>(key: string, make: () => State): State {
    // Checked edge: the key begins with the plugin's name, and a plugin knows its own state.
    return heldState(shared, key, make) as State;
  }

  function lastingState<State>(name: string, make: () => State): State {
    if (!lasting.has(name)) lasting.set(name, make());
    // Checked edge: the key is the plugin's name, and a plugin knows its own state.
    return lasting.get(name) as State;
  }

  function publicApi(method: string, path: string): PublicApi | undefined {
    return apis.find((api) => api.path === path && api.methods.includes(method));
  }

  function drop(key: string, instance: Instance): void {
    instances.delete(key);
    void instance.handlers.close?.();
  }

  return {
    find: (name) => byName.get(name),
    publicApi,
    listeners,
    instance(plugin, { conf, origin }) {
      const key = `${origin.kind}/${origin.id}/${plugin.name}`;
      const json = JSON.stringify(conf);
      const known = instances.get(key);
      if (known?.json === json) return known.handlers;
      if (known !== undefined) drop(key, known);
      const handlers = made(plugin, { conf, origin });
      instances.set(key, { json, handlers });
      return handlers;
    },
    forget(kind, id) {
      for (const [key, instance] of instances) {
        if (key.startsWith(`${kind}/${id}/`)) drop(key, instance);
      }
    },
    renew(name) {
      backgrounds.get(name)?.renew();
      for (const [key, instance] of instances) {
        if (key.endsWith(`/${name}`)) drop(key, instance);
      }
    },
    renewSecrets() {
      for (const [key, instance] of instances) {
        if (/\$secret:\/\//i.test(instance.json)) drop(key, instance);
      }
    },
    async close() {
      await Promise.all([...instances.values()].map(async ({ handlers }) => handlers.close?.()));
      instances.clear();
      await Promise.all([...backgrounds.values()].map((background) => background.close()));
    },
  };
}
