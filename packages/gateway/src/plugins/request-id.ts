import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { definePlugin } from './plugin.ts';

type Algorithm = 'uuid' | 'nanoid' | 'range_id' | 'ksuid' | 'uuidv7';

interface RequestId {
  readonly header_name: string;
  readonly include_in_response: boolean;
  readonly algorithm: Algorithm;
  readonly range_id?: { readonly char_set: string; readonly length: number };
}

const DIGITS = '0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LETTERS_AND_DIGITS = `${UPPER}${UPPER.toLowerCase()}${DIGITS}`;
const BASE_62 = `${DIGITS}${UPPER}${UPPER.toLowerCase()}`;
const RANGE = { char_set: LETTERS_AND_DIGITS, length: 16 };

/** Gives each request an identity that client, upstream and logs share. */
export const requestId = definePlugin<RequestId>({
  name: 'request-id',
  priority: 12_015,
  summary: 'Gives each request an id that upstream, client and logs share.',
  example: { algorithm: 'uuidv7', include_in_response: true },
  schema: {
    type: 'object',
    properties: {
      header_name: { type: 'string', default: 'X-Request-Id' },
      include_in_response: { type: 'boolean', default: true },
      algorithm: {
        type: 'string',
        enum: ['uuid', 'nanoid', 'range_id', 'ksuid', 'uuidv7'],
        default: 'uuid',
      },
      range_id: {
        type: 'object',
        properties: {
          length: { type: 'integer', minimum: 6, maximum: 256, default: RANGE.length },
          char_set: { type: 'string', minLength: 6, default: RANGE.char_set },
        },
        default: {},
      },
    },
  },
  create({ header_name, include_in_response, algorithm, range_id = RANGE }, { now, shared }) {
    const field = header_name.toLowerCase();
    const slot = Symbol('request id');
    const { char_set, length } = range_id;
    const nextUuidV7 = shared('uuidv7', createUuidV7);
    const makers: Readonly<Record<Algorithm, () => string>> = {
      uuid: randomUUID,
      nanoid: () => pick(`${LETTERS_AND_DIGITS}_-`, 21),
      range_id: () => pick(char_set, length),
      ksuid: () => ksuid(now()),
      uuidv7: () => nextUuidV7(now()),
    };
    return {
      rewrite(context) {
        const given = context.headers.get(field);
        const id = given || makers[algorithm]();
        if (!given) context.headers.set(header_name, id);
        context.setVariable('apisix_request_id', id);
        context.setSlot(slot, id);
        return undefined;
      },
      header_filter(context) {
        const id = context.slot<string>(slot);
        if (!include_in_response || id === undefined) return;
        if (context.response?.fields.has(field) === false)
          context.response.fields.add(header_name, id);
      },
    };
  },
});

/** `length` characters, each of `alphabet` as likely as another. */
function pick(alphabet: string, length: number): string {
  let picked = '';
  for (let i = 0; i < length; i++) picked += alphabet[randomInt(alphabet.length)];
  return picked;
}

/** Seconds since 2014-05-13 16:53:20, then 16 random octets, as 27 digits of base 62. */
export function ksuid(nowMs: number): string {
  const octets = Buffer.concat([Buffer.alloc(4), randomBytes(16)]);
  octets.writeUInt32BE(Math.floor(nowMs / 1_000) - 1_400_000_000);
  let value = BigInt(`0x${octets.toString('hex')}`);
  let digits = '';
  for (; value > 0n; value /= 62n) digits = BASE_62[Number(value % 62n)] + digits;
  return digits.padStart(27, '0');
}

/**
 * Version 7 of RFC 9562: milliseconds, a counter of 12 bits, then random bits. Each is greater than
 * the one before, also when the clock goes back or the counter overflows.
 */
export function createUuidV7(): (nowMs: number) => string {
  let lastMs = 0;
  let counter = 0;
  return (nowMs) => {
    if (nowMs > lastMs) {
      lastMs = nowMs;
      // Half of the room is left to count in.
      counter = randomInt(0x800);
    } else {
      counter += 1;
      if (counter > 0xfff) {
        lastMs += 1;
        counter = 0;
      }
    }
    const octets = randomBytes(16);
    octets.writeUIntBE(lastMs, 0, 6);
    octets.writeUInt16BE(0x7000 | counter, 6);
    octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80;
    const hex = octets.toString('hex');
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
    return [...parts, hex.slice(20)].join('-');
  };
}
