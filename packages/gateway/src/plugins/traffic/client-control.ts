import { errorPage } from '../../core/answer.ts';
import { definePlugin } from '../plugin.ts';

interface ClientControl {
  readonly max_body_size?: number;
}

/** A body of unknown length is held whole to be measured, and no longer than this. */
const HELD_BYTES_MAX = 64 << 20;

/** Refuses bodies above a size. */
export const clientControl = definePlugin<ClientControl>({
  name: 'client-control',
  priority: 22000,
  summary: 'Refuses request bodies above a size.',
  schema: {
    type: 'object',
    properties: {
      max_body_size: {
        type: 'integer',
        minimum: 0,
        description: 'octets; 0 is no limit. Chunked bodies: 64 MiB at most',
      },
    },
  },
  create({ max_body_size: max = 0 }) {
    if (max === 0) return {};
    const refused = { ...errorPage(413), source: 'apisix' } as const;
    return {
      rewrite(context) {
        const { framing } = context.body;
        if (framing.kind === 'length') return framing.bytes > max ? refused : undefined;
        if (framing.kind !== 'chunked') return undefined;
        const read = context.body.read(Math.min(max, HELD_BYTES_MAX));
        return read.then((bytes) => (bytes === undefined ? refused : undefined));
      },
    };
  },
});
