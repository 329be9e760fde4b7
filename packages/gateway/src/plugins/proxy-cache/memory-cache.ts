/** One answer, kept whole. */
export interface CachedAnswer {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly storedMs: number;
  readonly ttlMs: number;
}

export type ReadField = (name: string) => string | undefined;

/** Answers by key, and for each key by the request fields that the answers vary with. */
export interface MemoryCache {
  /** Also one whose time is over: the caller tells the two apart. */
  find(key: string, field: ReadField): CachedAnswer | undefined;
  /** False when it is larger than the whole cache. */
  store(key: string, vary: readonly string[], field: ReadField, answer: CachedAnswer): boolean;
  /** False when there was none. */
  purge(key: string): boolean;
  bytes(): number;
}

interface Resource {
  /** Names of fields in lower case, sorted. */
  readonly vary: readonly string[];
  readonly answers: Map<string, CachedAnswer>;
}

/** Variants of one key; the oldest makes room. */
const VARIANTS_MAX = 64;
/** What one answer takes besides its octets. */
const OVERHEAD_BYTES = 512;

/** Past `bytesMax` the keys that were stored longest ago are forgotten. */
export function createMemoryCache({ bytesMax }: { readonly bytesMax: number }): MemoryCache {
  const resources = new Map<string, Resource>();
  let bytes = 0;

  function forget(key: string): boolean {
    const known = resources.get(key);
    if (known === undefined) return false;
    for (const answer of known.answers.values()) bytes -= sizeOf(answer);
    return resources.delete(key);
  }

  function forgetVariant({ answers }: Resource, variant: string): void {
    const known = answers.get(variant);
    if (known === undefined) return;
    bytes -= sizeOf(known);
    answers.delete(variant);
  }

  return {
    find(key, field) {
      const known = resources.get(key);
      return known?.answers.get(variantOf(known.vary, field));
    },
    store(key, vary, field, answer) {
      const size = sizeOf(answer);
      if (size > bytesMax) return false;
      const names = [...new Set(vary)].sort();
      const known = resources.get(key);
      // Answers that vary otherwise cannot be told apart by the new names.
      if (known !== undefined && String(known.vary) !== String(names)) forget(key);
      const resource = resources.get(key) ?? { vary: names, answers: new Map() };
      const variant = variantOf(names, field);
      forgetVariant(resource, variant);
      const oldest = resource.answers.keys().next();
      if (resource.answers.size >= VARIANTS_MAX && oldest.done !== true) {
        forgetVariant(resource, oldest.value);
      }
      resource.answers.set(variant, answer);
      bytes += size;
      resources.delete(key);
      resources.set(key, resource);
      for (const other of resources.keys()) {
        if (bytes <= bytesMax) break;
        forget(other);
      }
      return true;
    },
    purge: forget,
    bytes: () => bytes,
  };
}

function variantOf(vary: readonly string[], field: ReadField): string {
  return JSON.stringify(vary.map((name) => field(name) ?? ''));
}

function sizeOf({ body, fields }: CachedAnswer): number {
  return fields.reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    body.length + OVERHEAD_BYTES,
  );
}
