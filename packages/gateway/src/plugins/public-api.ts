import { definePlugin } from './plugin.ts';

interface PublicApiConf {
  readonly uri?: string;
}

/** Answers with an endpoint of another plugin, which no client can reach without a route. */
export const publicApi = definePlugin<PublicApiConf>({
  name: 'public-api',
  priority: 501,
  summary: 'Exposes an endpoint of another plugin through a route.',
  example: { uri: '/apisix/status' },
  schema: { type: 'object', properties: { uri: { type: 'string' } } },
  create({ uri }, environment) {
    return {
      access(context) {
        const path = uri ?? context.path;
        const api = environment.publicApi(context.method, path);
        return api === undefined ? { status: 404 } : api.handle(context);
      },
    };
  },
});
