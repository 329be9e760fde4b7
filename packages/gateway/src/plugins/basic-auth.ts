import { messageAnswer } from '../core/request-context.ts';
import { ANONYMOUS_CONSUMER, anonymous } from './anonymous.ts';
import { isSameSecret } from './constant-time.ts';
import { definePlugin } from './plugin.ts';

interface BasicAuth {
  readonly hide_credentials: boolean;
  readonly realm: string;
  readonly anonymous_consumer?: string;
}

/** Asks for the name and password of a consumer. Source: RFC 7617. */
export const basicAuth = definePlugin<BasicAuth>({
  name: 'basic-auth',
  priority: 2520,
  summary: 'Asks for the user name and password that a consumer holds.',
  example: { hide_credentials: true },
  isAuth: true,
  secretFields: ['password'],
  schema: {
    type: 'object',
    title: 'work with route or service object',
    properties: {
      hide_credentials: { type: 'boolean', default: false },
      realm: { type: 'string', default: 'basic' },
      anonymous_consumer: ANONYMOUS_CONSUMER,
    },
  },
  consumerSchema: {
    type: 'object',
    title: 'work with consumer object',
    properties: { username: { type: 'string' }, password: { type: 'string' } },
    required: ['username', 'password'],
  },
  create({ hide_credentials, realm, anonymous_consumer }, { consumers }) {
    const challenge = { 'WWW-Authenticate': `Basic realm="${realm}"` };
    return {
      rewrite(context) {
        const field = context.headers.get('authorization');
        const given = userAndPassword(field);
        const found =
          given === undefined
            ? undefined
            : consumers.find('basic-auth', 'username', given.username);
        if (given !== undefined && isRight(found?.conf['password'], given.password) && found) {
          if (hide_credentials) context.headers.remove('authorization');
          context.attachConsumer(found);
          return undefined;
        }
        if (anonymous_consumer !== undefined) {
          if (hide_credentials) context.headers.remove('authorization');
          return anonymous(context, consumers, anonymous_consumer, challenge);
        }
        const why =
          field === undefined
            ? 'Missing authorization in request'
            : given === undefined
              ? 'Invalid authorization in request'
              : 'Invalid user authorization';
        return messageAnswer(401, why, challenge);
      },
    };
  },
});

/** An unknown user takes as long as a wrong password. */
function isRight(expected: unknown, given: string): boolean {
  const isSame = isSameSecret(typeof expected === 'string' ? expected : '', given);
  return isSame && typeof expected === 'string';
}

/** Undefined when the field is not there or is not `Basic` with base64 of `user:password`. */
export function userAndPassword(
  field: string | undefined,
): { readonly username: string; readonly password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})\s*$/i.exec(field ?? '')?.[1];
  if (encoded === undefined || encoded.replace(/=+$/, '').length % 4 === 1) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const at = text.indexOf(':');
  return at < 0 ? undefined : { username: text.slice(0, at), password: text.slice(at + 1) };
}
