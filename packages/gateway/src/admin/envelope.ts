import type { AdminAnswer } from './admin-api.ts';

/** Of `deployment.admin.admin_api_version`; `v2` is what releases before 3.0 spoke. */
export type AdminVersion = 'v2' | 'v3';

/** What etcd called the writes of each method. */
const ACTIONS: Readonly<Record<string, string>> = {
  GET: 'get',
  PUT: 'set',
  POST: 'create',
  PATCH: 'compareAndSwap',
  DELETE: 'delete',
};

/** The answer in the envelope of version 2: objects under `node`, lists, which `key` names, under `node.nodes`. */
export function inVersion2(method: string, key: string, answer: AdminAnswer): AdminAnswer {
  const { status, body } = answer;
  const action = ACTIONS[method];
  if (typeof body !== 'object' || status >= 300 || action === undefined) return answer;
  if (Array.isArray(body['list'])) {
    const node = { dir: true, key, nodes: body['list'] };
    return { status, body: { action, count: body['total'], node } };
  }
  if (body['deleted'] !== undefined) return { status, body: { action, ...body, node: {} } };
  return body['value'] === undefined ? answer : { status, body: { action, node: body } };
}
