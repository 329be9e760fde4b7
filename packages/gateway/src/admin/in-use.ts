import type { Store } from '../store/store.ts';
import type { ObjectValue } from './object-check.ts';

/** Who may refer to an object of a kind, by which field. */
const USERS: Readonly<
  Record<string, readonly (readonly [kind: string, noun: string, field: string])[]>
> = {
  upstreams: [
    ['routes', 'route', 'upstream_id'],
    ['services', 'service', 'upstream_id'],
    ['stream_routes', 'stream_route', 'upstream_id'],
  ],
  services: [
    ['routes', 'route', 'service_id'],
    ['stream_routes', 'stream_route', 'service_id'],
  ],
  plugin_configs: [['routes', 'route', 'plugin_config_id']],
  consumer_groups: [['consumers', 'consumer', 'group_id']],
};

/** References from within plugins' configurations. */
const PLUGIN_USERS: Readonly<Record<string, { readonly plugin: string; readonly field: string }>> =
  {
    upstreams: { plugin: 'traffic-split', field: 'upstream_id' },
    protos: { plugin: 'grpc-transcode', field: 'proto_id' },
  };

const PLUGIN_HOLDERS = [
  ['routes', 'route'],
  ['services', 'service'],
  ['plugin_configs', 'plugin_config'],
  ['consumers', 'consumer'],
  ['consumer_groups', 'consumer_group'],
  ['global_rules', 'global_rule'],
] as const;

/** `route [1]`: the first object that still uses it; undefined when none does. */
export function userOf(store: Store, kind: string, id: string): string | undefined {
  for (const [userKind, noun, field] of USERS[kind] ?? []) {
    const user = store
      .list(`/${userKind}/`)
      .find(({ value }) => value[field] !== undefined && String(value[field]) === id);
    if (user !== undefined) return `${noun} [${user.key.slice(userKind.length + 2)}]`;
  }
  const within = PLUGIN_USERS[kind];
  if (within === undefined) return undefined;
  for (const [userKind, noun] of PLUGIN_HOLDERS) {
    const user = store.list(`/${userKind}/`).find(({ value }) => {
      const conf = (value['plugins'] as ObjectValue | undefined)?.[within.plugin];
      return mentions(conf, within.field, id);
    });
    if (user !== undefined) return `${noun} [${user.key.slice(userKind.length + 2)}]`;
  }
  return undefined;
}

/** Whether `field` has the value `id` anywhere within. Configurations are shallow: §1.4 bounds them. */
function mentions(value: unknown, field: string, id: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) => (key === field && String(inner) === id) || mentions(inner, field, id),
  );
}
