import { type Counts, foldCounts, sumOf } from '../workers/counts.ts';
import { definePlugin } from './plugin.ts';

/** Counted since the start: what stays true when a process has ended. */
const SINCE_START = new Set(['accepted', 'handled', 'total']);

/** Shows the connections of this gateway at `/apisix/status`, through a route with `public-api`. */
export const nodeStatus = definePlugin({
  name: 'node-status',
  priority: 1000,
  observes: true,
  summary: 'Shows the connections of this gateway, through a route with public-api.',
  schema: { type: 'object' },
  create: () => ({}),
  respond: (_, { facts }): Counts => ({ ...facts.connections(), total: facts.requestsTotal() }),
  fold: (before, last) => foldCounts(before, last, (name) => SINCE_START.has(name)),
  publicApis({ facts, askAll }) {
    return [
      {
        methods: ['GET'],
        path: '/apisix/status',
        async handle() {
          const counts = ((await askAll()) as readonly Counts[]).reduce(sumOf);
          // Texts, as APISIX shows them.
          const texts = Object.entries(counts).map(([name, count]) => [name, String(count)]);
          return { status: 200, body: { status: Object.fromEntries(texts), id: facts.id } };
        },
      },
    ];
  },
});
