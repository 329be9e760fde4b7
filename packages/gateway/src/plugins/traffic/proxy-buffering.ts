import { definePlugin } from '../plugin.ts';

/** Says whether answers may be held back; none are here, so that it has nothing to do. */
export const proxyBuffering = definePlugin<{ readonly disable_proxy_buffering: boolean }>({
  name: 'proxy-buffering',
  priority: 21991,
  summary: 'Passes answers on as they come, which is how they always pass here.',
  example: { disable_proxy_buffering: true },
  notes: [
    'Answers are passed on piece by piece with or without it; a client that is slower than the upstream slows the upstream down. Only plugins that need a body whole (filters of response-rewrite, body-transformer, grpc-transcode) hold it back.',
  ],
  schema: {
    type: 'object',
    properties: { disable_proxy_buffering: { type: 'boolean', default: false } },
  },
  create: () => ({}),
});
