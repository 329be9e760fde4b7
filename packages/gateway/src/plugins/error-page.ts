import { errorPage as ownPage } from '../core/answer.ts';
import type { PluginConf } from '../core/objects.ts';
import { dropEntityFields } from './entity-fields.ts';
import { definePlugin } from './plugin.ts';

interface Page {
  readonly body?: string;
  readonly content_type?: string;
}

const PAGE = {
  type: 'object',
  properties: {
    body: { type: 'string', minLength: 1, description: "the gateway's own page unless given" },
    content_type: { type: 'string', default: 'text/html' },
  },
} as const;

/** Puts pages of one's own in place of the gateway's error answers. */
export const errorPage = definePlugin<Record<string, never>>({
  name: 'error-page',
  priority: 450,
  summary: "Puts pages of one's own in place of the gateway's error answers.",
  notes: [
    'Pages are set in plugin metadata (`enable: true`), and shown where the plugin is configured: on routes, or on all by a global rule. Answers of upstreams stay as they are.',
    'Any status from 100 to 599 may have a page: `error_429`.',
    'On by default as every plugin is here, where APISIX leaves it out of its list; without metadata it does nothing.',
  ],
  schema: { type: 'object' },
  metadataSchema: {
    type: 'object',
    properties: {
      enable: { type: 'boolean', default: false },
      error_404: PAGE,
      error_500: PAGE,
      error_502: PAGE,
      error_503: PAGE,
    },
    patternProperties: { '^error_[1-5][0-9][0-9]$': PAGE },
  },
  create(_conf, { metadata }) {
    const slot = Symbol('error page');
    return {
      header_filter(context) {
        const { response } = context;
        if (response === undefined || response.source === 'upstream') return;
        const page = pageFor(response.status, metadata());
        if (page === undefined) return;
        const { body = ownPage(response.status).body, content_type = 'text/html' } = page;
        context.setSlot(slot, Buffer.from(String(body)));
        dropEntityFields(response.fields);
        response.fields.set('Content-Type', content_type);
      },
      body_filter(context, bytes, isLast) {
        const page = context.slot<Buffer>(slot);
        if (page === undefined) return bytes;
        return isLast ? page : Buffer.alloc(0);
      },
    };
  },
});

function pageFor(status: number, metadata: PluginConf | undefined): Page | undefined {
  if (metadata?.['enable'] !== true) return undefined;
  // Checked edge: the metadata schema has accepted it.
  return metadata[`error_${status}`] as Page | undefined;
}
