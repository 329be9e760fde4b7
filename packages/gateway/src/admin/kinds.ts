/** One kind of object of the Admin API. */
export interface Kind {
  /** In paths. */
  readonly path: string;
  /** In messages. */
  readonly noun: string;
  readonly verbs: readonly string[];
  /** Fields that clients never see again. */
  readonly hidden: readonly string[];
}

const FULL = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'];
const NAMED = ['GET', 'PUT', 'PATCH', 'DELETE'];
const WHOLE = ['GET', 'PUT', 'DELETE'];

const kind = (
  path: string,
  noun: string,
  verbs: readonly string[],
  hidden: readonly string[] = [],
) => ({
  path,
  noun,
  verbs,
  hidden,
});

/** Source: ../shared/reference/apisix.md §1.2. */
export const KINDS: readonly Kind[] = [
  kind('routes', 'route', FULL),
  kind('services', 'service', FULL),
  kind('upstreams', 'upstream', FULL),
  kind('consumers', 'consumer', WHOLE),
  kind('credentials', 'credential', WHOLE),
  kind('consumer_groups', 'consumer group', NAMED),
  kind('plugin_configs', 'plugin config', NAMED),
  kind('global_rules', 'global rule', NAMED),
  kind('plugin_metadata', 'plugin_metadata', WHOLE),
  kind('ssls', 'ssl', FULL, ['key', 'keys']),
  kind('secrets', 'secret', NAMED),
  kind('stream_routes', 'stream route', ['GET', 'PUT', 'POST', 'DELETE']),
  kind('protos', 'proto', ['GET', 'PUT', 'POST', 'DELETE']),
];

/** Singular names as `/v1/schema` and `/schema/…` have them. */
export function singular(path: string): string {
  return path === 'plugin_metadata' ? path : path.replace(/s$/, '');
}
