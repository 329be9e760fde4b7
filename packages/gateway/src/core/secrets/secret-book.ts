import type { Store } from '../../store/store.ts';
import { type ReferenceReader, referencesIn, resolvedConf } from '../references.ts';
import { readVault, type VaultObject } from './vault.ts';

/**
 * What `$secret://vault/ID/PATH/NAME` stands for. Vault is asked when an object with a reference is
 * stored, not when a request comes, and again every 5 minutes; while it does not answer the last
 * text stands.
 */
export interface SecretBook {
  /** Text as it was last read; undefined before, and for what is not there. */
  read: ReferenceReader;
  /** Resolves when all that is being read has come, or after `mostMs`. */
  settled(mostMs: number): Promise<void>;
  /** Reads again what is old. */
  tick(): void;
}

export interface SecretBookParts {
  readonly store: Store;
  /** For references within secret objects: a token may be `$env://…`. */
  readonly environment: ReferenceReader;
  now(): number;
  /** A text is another one than before: whoever has used it must read again. */
  changed(): void;
  warn(message: string): void;
}

/** As APISIX has them: `apisix.lru.secret`. */
const FRESH_MS = 300_000;
const RETRY_MS = 60_000;
const SECRETS_MAX = 512;
const REFERENCE = /^\$secret:\/\/([^/]+)\/([^/]+)\/(.+)\/([^/]+)$/i;

interface Secret {
  text: string | undefined;
  /** When it is to be read again. */
  dueMs: number;
  reading: Promise<void> | undefined;
  /** What it is read by has changed in the meantime. */
  isOutdated: boolean;
}

export function createSecretBook(parts: SecretBookParts): SecretBook {
  const { store, now } = parts;
  const secrets = new Map<string, Secret>();

  function want(reference: string): void {
    if (!REFERENCE.test(reference) || secrets.has(reference)) return;
    if (secrets.size >= SECRETS_MAX) forgetUnused();
    if (secrets.size >= SECRETS_MAX) {
      parts.warn(`more than ${SECRETS_MAX} secrets are referred to: ${reference} is not read`);
      return;
    }
    const secret: Secret = { text: undefined, dueMs: 0, reading: undefined, isOutdated: false };
    secrets.set(reference, secret);
    refresh(reference, secret);
  }

  function forgetUnused(): void {
    const used = new Set(store.list('/').flatMap(({ value }) => referencesIn(value)));
    for (const reference of secrets.keys()) if (!used.has(reference)) secrets.delete(reference);
  }

  function refresh(reference: string, secret: Secret): void {
    secret.isOutdated = secret.reading !== undefined;
    if (secret.isOutdated) return;
    secret.reading = fetched(reference)
      .then((text) => {
        secret.dueMs = now() + (text === undefined ? RETRY_MS : FRESH_MS);
        if (text === secret.text) return;
        secret.text = text;
        parts.changed();
      })
      .catch((error: unknown) => {
        secret.dueMs = now() + RETRY_MS;
        parts.warn(`${reference}: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => {
        secret.reading = undefined;
        if (secret.isOutdated) refresh(reference, secret);
      });
  }

  async function fetched(reference: string): Promise<string | undefined> {
    const [, kind = '', id = '', path = '', name = ''] = REFERENCE.exec(reference) ?? [];
    const object = store.get(`/secrets/${kind}/${id}`)?.value;
    if (object === undefined) throw new Error(`there is no secret object ${kind}/${id}`);
    if (kind !== 'vault') throw new Error(`secrets of kind ${kind} cannot be read here, vault can`);
    // Checked edge: the Admin API has validated it; a text without meaning is refused by Vault.
    const vault = resolvedConf(object, parts.environment) as unknown as VaultObject;
    return readVault(vault, path, name);
  }

  function found(value: unknown): void {
    for (const reference of referencesIn(value)) want(reference);
  }

  store.subscribe(({ key, now: stored }) => {
    const [, kind, manager, id] = key.split('/');
    if (kind !== 'secrets') found(stored?.value);
    else {
      const start = `$secret://${manager}/${id}/`.toLowerCase();
      for (const [reference, secret] of secrets) {
        if (reference.toLowerCase().startsWith(start)) refresh(reference, secret);
      }
    }
  });
  for (const { key, value } of store.list('/')) if (!key.startsWith('/secrets/')) found(value);

  return {
    read: (reference) => secrets.get(reference)?.text,
    async settled(mostMs) {
      const all = Promise.all([...secrets.values()].flatMap(({ reading }) => reading ?? []));
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, mostMs);
      });
      await Promise.race([all, late]);
      clearTimeout(timer);
    },
    tick() {
      for (const [reference, secret] of secrets) {
        if (now() >= secret.dueMs && secret.reading === undefined) refresh(reference, secret);
      }
    },
  };
}
