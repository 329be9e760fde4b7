import { createSqlStore } from '../sql-store.ts';
import { type Store, StoreError } from '../store.ts';
import { createHttpLine } from './http-line.ts';

export interface ClickHouseOptions {
  /** `http://host:8123` or `https://…`. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}

/**
 * A ClickHouse by URL, behind the same contract. Rejects with `StoreError` `store_unavailable` when
 * it does not answer. A replicated or plain MergeTree keeps the insert tokens.
 */
export async function openClickHouseStore(options: ClickHouseOptions): Promise<Store> {
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
    throw new StoreError('store_unavailable', `${options.url} is not an http or https URL`);
  }
  const headers = {
    ...(options.user === undefined ? {} : { 'x-clickhouse-user': options.user }),
    ...(options.password === undefined ? {} : { 'x-clickhouse-key': options.password }),
  };
  const line = createHttpLine({ url: options.url, headers });
  const store = createSqlStore(line, () => Promise.resolve());
  await store.health();
  return store;
}
