import { definePlugin } from '../plugin.ts';

interface ProxyControl {
  readonly request_buffering: boolean;
}

/** Longer bodies are streamed whatever is asked: they may not fill the memory. */
const BUFFERED_BYTES_MAX = 1 << 20;

/** Holds a request back until its body is whole, so that slow clients do not occupy the upstream. */
export const proxyControl = definePlugin<ProxyControl>({
  name: 'proxy-control',
  priority: 21990,
  summary: 'Sends requests on when their body is whole, or as it comes.',
  schema: {
    type: 'object',
    properties: { request_buffering: { type: 'boolean', default: true } },
  },
  create({ request_buffering }) {
    if (!request_buffering) return {};
    return {
      rewrite(context) {
        const { framing } = context.body;
        if (framing.kind !== 'length' || framing.bytes > BUFFERED_BYTES_MAX) return undefined;
        return context.body.read(BUFFERED_BYTES_MAX).then(() => undefined);
      },
    };
  },
});
