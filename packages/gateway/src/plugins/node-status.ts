import { definePlugin } from './plugin.ts';

/** Shows the connections of this gateway at `/apisix/status`, through a route with `public-api`. */
export const nodeStatus = definePlugin({
  name: 'node-status',
  priority: 1000,
  summary: 'Shows the connections of this gateway, through a route with public-api.',
  schema: { type: 'object' },
  create: () => ({}),
  publicApis({ facts }) {
    return [
      {
        methods: ['GET'],
        path: '/apisix/status',
        handle() {
          const counts = Object.entries({ ...facts.connections(), total: facts.requestsTotal() });
          // Texts, as APISIX shows them.
          const status = Object.fromEntries(counts.map(([name, count]) => [name, String(count)]));
          return { status: 200, body: { status, id: facts.id } };
        },
      },
    ];
  },
});
