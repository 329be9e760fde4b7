import { createClient } from '@redis/client';
import pg from 'pg';

/** Makes a call that names its request; resolves when it is answered. */
export type Call = (path: string) => Promise<void>;

const POOL_SIZE = 8;

/** One connection for all requests: their commands follow each other before answers come. */
export async function connectRedis(port: number): Promise<Call> {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  await client.connect();
  return async (path) => {
    await client.get(path);
  };
}

/** A pool whose connections serve one query at a time; further requests wait for one. */
export function connectPostgresql(port: number): Call {
  const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', max: POOL_SIZE });
  return async (path) => {
    await pool.query(`select 1 as "${path}"`);
  };
}
