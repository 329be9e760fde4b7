import { createCipheriv, createDecipheriv } from 'node:crypto';

type ObjectValue = Readonly<Record<string, unknown>>;

/** Encrypts the secret fields of objects where these leave memory. */
export interface FieldSeal {
  /** `key`: as in the store, such as `/consumers/jack`. */
  seal(key: string, value: ObjectValue): ObjectValue;
  /** What `seal` was given; a field that no key opens stays as it is, and is counted. */
  open(key: string, value: ObjectValue): ObjectValue;
  /** Private keys alone are sealed: as the object is shown to who asks for it. */
  sealKeys(key: string, value: ObjectValue): ObjectValue;
  /** Private keys as `sealKeys` has shown them, opened; what is none of its texts stays. */
  openKeys(key: string, value: ObjectValue): ObjectValue;
  /** Fields so far that no key has opened. */
  unopened(): number;
}

export interface SealParts {
  /** Each of 16 or 32 octets. The first encrypts, all of them decrypt, in turn. */
  readonly keyring: readonly string[];
  /** Names of the fields of a plugin's configuration and metadata that are secret; `a.b` is within `a`. */
  secretFields(plugin: string): readonly string[];
}

const METADATA = '/plugin_metadata/';
const PEM_START = '---';

/** Source: ../shared/reference/apisix.md §1.3: AES in CBC mode, the key its own start vector. */
export function createFieldSeal({ keyring, secretFields }: SealParts): FieldSeal {
  const [own = ''] = keyring;
  let unopenedCount = 0;

  function sealed(text: string): string {
    const cipher = createCipheriv(...cipherOf(own));
    return Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64');
  }

  function openedBy(text: string): string | undefined {
    for (const key of keyring) {
      try {
        const decipher = createDecipheriv(...cipherOf(key));
        return Buffer.concat([decipher.update(text, 'base64'), decipher.final()]).toString('utf8');
      } catch {
        // Made with another key of the ring, or with none of them.
      }
    }
    return undefined;
  }

  function opened(text: string): string {
    // Kept before private keys of upstreams were sealed.
    if (text.startsWith(PEM_START)) return text;
    const found = openedBy(text);
    if (found === undefined) unopenedCount += 1;
    return found ?? text;
  }

  function openedKey(text: string): string {
    const found = text.startsWith(PEM_START) ? undefined : openedBy(text);
    return found?.startsWith(PEM_START) === true ? found : text;
  }

  function changed(key: string, value: ObjectValue, change: (text: string) => string): ObjectValue {
    if (key.startsWith(METADATA)) {
      return withFields(value, secretFields(key.slice(METADATA.length)), change);
    }
    const withKeys = withPrivateKeys(key, value, change);
    const { plugins } = withKeys;
    if (!isObject(plugins)) return withKeys;
    const changedPlugins = Object.entries(plugins).map(([name, conf]) => [
      name,
      isObject(conf) ? withFields(conf, secretFields(name), change) : conf,
    ]);
    return { ...withKeys, plugins: Object.fromEntries(changedPlugins) };
  }

  return {
    seal: (key, value) => changed(key, value, sealed),
    open: (key, value) => changed(key, value, opened),
    sealKeys: (key, value) => withPrivateKeys(key, value, sealed),
    openKeys: (key, value) => withPrivateKeys(key, value, openedKey),
    unopened: () => unopenedCount,
  };
}

function cipherOf(key: string): [string, string, string] {
  return [key.length === 32 ? 'aes-256-cbc' : 'aes-128-cbc', key, key.slice(0, 16)];
}

/** The keys of an SSL object, and the one that an upstream is shown a certificate with. */
function withPrivateKeys(
  key: string,
  value: ObjectValue,
  change: (text: string) => string,
): ObjectValue {
  if (key.startsWith('/ssls/')) return withFields(value, ['key', 'keys'], change);
  const { tls, upstream } = value;
  if (isObject(upstream)) return { ...value, upstream: withPrivateKeys('', upstream, change) };
  return isObject(tls) ? { ...value, tls: withFields(tls, ['client_key'], change) } : value;
}

/** Texts of the named fields changed, also in a list, and within another field where a dot says so. */
function withFields(
  value: ObjectValue,
  names: readonly string[],
  change: (text: string) => string,
): ObjectValue {
  const one = (given: unknown): unknown => (typeof given === 'string' ? change(given) : given);
  const inner = names.map((name) => name.split('.')).filter(({ length }) => length > 1);
  const within = inner.flatMap(([outer = '', ...rest]) => {
    const given = value[outer];
    return isObject(given) ? [[outer, withFields(given, [rest.join('.')], change)]] : [];
  });
  const fields = names
    .filter((name) => value[name] !== undefined)
    .map((name) => {
      const given = value[name];
      return [name, Array.isArray(given) ? given.map(one) : one(given)];
    });
  const all = [...within, ...fields];
  return all.length === 0 ? value : { ...value, ...Object.fromEntries(all) };
}

function isObject(value: unknown): value is ObjectValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
