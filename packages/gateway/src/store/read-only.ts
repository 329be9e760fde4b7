import type { Store } from './store.ts';

/** The writes of a store that takes none: each rejects with `why`. */
export function readOnly(why: string): Pick<Store, 'reserveId' | 'put' | 'delete'> {
  const refuse = async (): Promise<never> => {
    throw new Error(why);
  };
  return { reserveId: refuse, put: refuse, delete: refuse };
}
