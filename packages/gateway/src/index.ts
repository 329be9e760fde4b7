export { PLUGINS } from './plugins/list.ts';
export {
  definePlugin,
  type Handlers,
  type Plugin,
  type PluginDefinition,
  type PluginEnvironment,
} from './plugins/plugin.ts';
