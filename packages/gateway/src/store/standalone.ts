import { readFileSync, statSync } from 'node:fs';
import { parse } from 'yaml';
import { withEnvironment } from '../config/config.ts';
import { createObjectTable } from './object-table.ts';
import { readOnly } from './read-only.ts';
import { DEFAULT_PREFIX, type Store } from './store.ts';

/** The file is looked at so often; a change is one of its times, size or inode. */
const POLL_MS = 1_000;

export interface StandaloneParts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text says why an object may not be used; it is then left out, and the rest is served. */
  fault(kind: string, id: string, value: Readonly<Record<string, unknown>>): string | undefined;
  warn(message: string): void;
}

const KINDS = [
  ...['upstreams', 'services', 'routes', 'consumers', 'consumer_groups', 'plugin_configs'],
  ...['plugin_metadata', 'global_rules', 'ssls', 'secrets', 'protos', 'stream_routes'],
];

/**
 * A store that is one YAML file with `#END` as its last line, read again when it changes. A file
 * without that line is half written and is not read; one that is no YAML keeps what was there.
 */
export function openStandalone(path: string, parts: StandaloneParts): Store {
  const table = createObjectTable();
  let seen = '';
  let revision = 0;

  function look(): void {
    const stamp = stampOf(path);
    if (stamp === seen) return;
    seen = stamp;
    const text = readFileSync(path, 'utf8');
    if (!/(^|\n)#END\s*$/.test(text)) {
      parts.warn(`${path} does not end with the line #END: not read`);
      return;
    }
    try {
      take(parse(withEnvironment(text, parts.environment)) ?? {});
    } catch (error) {
      parts.warn(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  function take(whole: Readonly<Record<string, unknown>>): void {
    const wanted = new Map<string, Readonly<Record<string, unknown>>>();
    for (const kind of KINDS) {
      const items = whole[kind];
      for (const [at, item] of (Array.isArray(items) ? items : []).entries()) {
        const id = String(item?.id ?? item?.username ?? at + 1);
        const wrong = parts.fault(kind, id, item);
        if (wrong === undefined) wanted.set(`/${kind}/${id}`, { ...item, id: item?.id ?? id });
        else parts.warn(`${path}: ${kind}[${id}]: ${wrong}`);
      }
    }
    revision += 1;
    for (const { key } of table.all()) if (!wanted.has(key)) table.remove(key, revision);
    for (const [key, value] of wanted) {
      const known = table.get(key);
      if (known !== undefined && JSON.stringify(known.value) === JSON.stringify(value)) continue;
      table.set({
        key,
        value,
        createdIndex: known?.createdIndex ?? revision,
        modifiedIndex: revision,
      });
    }
  }

  look();
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      parts.warn(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }, POLL_MS);
  timer.unref();
  return {
    get: table.get,
    list: table.list,
    revision: () => revision,
    isReachable: () => true,
    prefix: DEFAULT_PREFIX,
    subscribe: table.subscribe,
    ...readOnly('the configuration is a file: change the file'),
    close: async () => clearInterval(timer),
  };
}

function stampOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path);
  return `${mtimeMs} ${size} ${ino}`;
}
