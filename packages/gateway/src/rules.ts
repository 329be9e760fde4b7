import { createValidator, type Validator } from './admin/validator.ts';
import type { GatewayConfig } from './config/config.ts';
import { fieldSealOf } from './config/keyring.ts';
import type { PluginConf } from './core/objects.ts';
import { PLUGINS } from './plugins/list.ts';
import type { Plugin } from './plugins/plugin.ts';
import type { FieldSeal } from './store/field-seal.ts';

/** What objects are checked by, and how their secret fields are kept. */
export interface Rules {
  readonly validator: Validator;
  /** Those that are switched on. */
  readonly plugins: readonly Plugin[];
  readonly attributes: Readonly<Record<string, PluginConf>>;
  readonly seal: FieldSeal | undefined;
  findPlugin(name: string): Plugin | undefined;
}

export function openRules({ apisix, plugins: names, plugin_attr }: GatewayConfig): Rules {
  const plugins = PLUGINS.filter(({ name }) => names?.includes(name) ?? true);
  const byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  return {
    validator: createValidator(),
    plugins,
    attributes: { 'proxy-cache': apisix.proxy_cache ?? {}, ...plugin_attr },
    seal: fieldSealOf(apisix.data_encryption, PLUGINS),
    findPlugin: (name) => byName.get(name),
  };
}
