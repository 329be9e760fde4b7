import { messageAnswer } from '../core/request-context.ts';
import { ANONYMOUS_CONSUMER, anonymous } from './anonymous.ts';
import { definePlugin } from './plugin.ts';
import { withoutArgument } from './without-argument.ts';

interface KeyAuth {
  readonly header: string;
  readonly query: string;
  readonly hide_credentials: boolean;
  readonly realm: string;
  readonly anonymous_consumer?: string;
}

/** Asks for an API key that a consumer or one of its credentials holds. */
export const keyAuth = definePlugin<KeyAuth>({
  name: 'key-auth',
  priority: 2500,
  summary: 'Asks for an API key that a consumer holds.',
  example: { header: 'apikey', hide_credentials: true },
  isAuth: true,
  secretFields: ['key'],
  schema: {
    type: 'object',
    title: 'work with route or service object',
    properties: {
      header: { type: 'string', default: 'apikey' },
      query: { type: 'string', default: 'apikey' },
      hide_credentials: { type: 'boolean', default: false },
      realm: { type: 'string', default: 'key' },
      anonymous_consumer: ANONYMOUS_CONSUMER,
    },
  },
  consumerSchema: {
    type: 'object',
    title: 'work with consumer object',
    properties: { key: { type: 'string' } },
    required: ['key'],
  },
  create({ header, query, hide_credentials, realm, anonymous_consumer }, { consumers }) {
    const field = header.toLowerCase();
    const challenge = { 'WWW-Authenticate': `apikey realm="${realm}"` };
    return {
      rewrite(context) {
        const fromHeader = context.headers.get(field);
        const key = fromHeader ?? context.argument(query);
        const found = key === undefined ? undefined : consumers.find('key-auth', 'key', key);
        if (found !== undefined) {
          if (hide_credentials && fromHeader !== undefined) context.headers.remove(field);
          else if (hide_credentials) context.query = withoutArgument(context.query, query);
          context.attachConsumer(found);
          return undefined;
        }
        if (hide_credentials) {
          // A wrong key is a key too, often that of another place.
          context.headers.remove(field);
          context.query = withoutArgument(context.query, query);
        }
        if (anonymous_consumer !== undefined) {
          return anonymous(context, consumers, anonymous_consumer, challenge);
        }
        const which = key === undefined ? 'Missing' : 'Invalid';
        return messageAnswer(401, `${which} API key in request`, challenge);
      },
    };
  },
});
