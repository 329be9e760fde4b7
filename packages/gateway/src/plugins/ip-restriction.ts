import { ADDRESS } from '../core/network-schemas.ts';
import { messageAnswer } from '../core/request-context.ts';
import { addressFault, rangesOf } from './ip-addresses.ts';
import { definePlugin } from './plugin.ts';

interface IpRestriction {
  readonly whitelist?: readonly string[];
  readonly blacklist?: readonly string[];
  readonly message: string;
  readonly response_code: number;
}

const ADDRESSES = { type: 'array', minItems: 1, items: ADDRESS } as const;

/** Lets in or keeps out by the client's address. */
export const ipRestriction = definePlugin<IpRestriction>({
  name: 'ip-restriction',
  priority: 3000,
  subsystems: ['http', 'stream'],
  summary: "Lets in or keeps out by the client's address.",
  example: { whitelist: ['10.0.0.0/8', '2001:db8::/32'] },
  schema: {
    type: 'object',
    properties: {
      message: {
        type: 'string',
        minLength: 1,
        maxLength: 1024,
        default: 'Your IP address is not allowed',
      },
      response_code: { type: 'integer', minimum: 403, maximum: 404, default: 403 },
      whitelist: ADDRESSES,
      blacklist: ADDRESSES,
    },
    oneOf: [{ required: ['whitelist'] }, { required: ['blacklist'] }],
  },
  check: ({ whitelist, blacklist }) => addressFault(whitelist ?? blacklist),
  create({ whitelist, blacklist, message, response_code }) {
    const [allowed, denied] = [rangesOf(whitelist), rangesOf(blacklist)];
    const refusal = messageAnswer(response_code, message);
    return {
      access({ clientIp }) {
        const isOut = denied?.has(clientIp) === true || allowed?.has(clientIp) === false;
        return isOut ? refusal : undefined;
      },
    };
  },
});
