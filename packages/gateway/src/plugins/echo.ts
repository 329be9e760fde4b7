import type { HeaderFields } from '../core/http/header-fields.ts';
import { dropEntityFields } from './entity-fields.ts';
import { definePlugin } from './plugin.ts';

interface Echo {
  readonly before_body?: string;
  readonly body?: string;
  readonly after_body?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** Puts text before, after or in place of the answer's body. Made for trying things out. */
export const echo = definePlugin<Echo>({
  name: 'echo',
  priority: 412,
  summary: "Puts text before, after or in place of the answer's body, for trying things out.",
  example: { before_body: 'before ', after_body: ' after' },
  schema: {
    type: 'object',
    properties: {
      before_body: { type: 'string' },
      body: { type: 'string' },
      after_body: { type: 'string' },
      headers: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { oneOf: [{ type: 'string' }, { type: 'number' }] },
      },
    },
    anyOf: [{ required: ['before_body'] }, { required: ['body'] }, { required: ['after_body'] }],
    minProperties: 1,
  },
  create({ before_body = '', body, after_body = '', headers = {} }) {
    const begun = Symbol('begun');
    const before = Buffer.from(before_body);
    const replaced = body === undefined ? undefined : Buffer.from(body);
    const after = Buffer.from(after_body);

    function setFields(fields: HeaderFields): void {
      dropEntityFields(fields);
      for (const [name, value] of Object.entries(headers)) fields.set(name, String(value));
    }

    return {
      header_filter({ response }) {
        if (response !== undefined) setFields(response.fields);
      },
      body_filter(context, bytes, isLast) {
        const isFirst = context.slot(begun) === undefined;
        context.setSlot(begun, true);
        const own = replaced === undefined ? bytes : isFirst ? replaced : Buffer.alloc(0);
        const parts = [isFirst ? before : Buffer.alloc(0), own, isLast ? after : Buffer.alloc(0)];
        return Buffer.concat(parts);
      },
    };
  },
});
