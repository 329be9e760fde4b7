import { definePlugin } from './plugin.ts';

interface AttachConsumerLabel {
  /** Field to `$label`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Tells the upstream labels of the consumer. */
export const attachConsumerLabel = definePlugin<AttachConsumerLabel>({
  name: 'attach-consumer-label',
  priority: 2399,
  summary: 'Sends labels of the consumer to the upstream, as headers.',
  example: { headers: { 'X-Consumer-Department': '$department' } },
  notes: ['What the client itself sends under these names goes no further.'],
  schema: {
    type: 'object',
    properties: {
      headers: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { type: 'string', pattern: '^\\$.+' },
        description: 'header to label, with `$` before it',
      },
    },
    required: ['headers'],
  },
  create({ headers }) {
    const wanted = Object.entries(headers).map(([name, label]) => [name, label.slice(1)] as const);
    return {
      before_proxy(context) {
        for (const [name, label] of wanted) {
          context.headers.remove(name);
          const value = context.consumer?.labels[label];
          if (value !== undefined) context.headers.set(name, value);
        }
      },
    };
  },
});
