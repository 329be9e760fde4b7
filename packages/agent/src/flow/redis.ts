import {
  createRedisDecoder,
  createRedisStream,
  type DecodeText,
  isRedisHidden,
  type RedisStream,
} from '@thalweg/wire';
import { plainRequest, plainResponse } from './message.ts';
import type { Pairing, Place } from './pairing.ts';
import type { Protocol } from './protocol.ts';

/** After these, messages come that answer no command. Source: Redis, "Pub/sub", "MONITOR". */
const LISTENS = new Set(['subscribe', 'psubscribe', 'ssubscribe', 'monitor', 'psync', 'sync']);

/** Commands and replies in order: one reply each. Statements are without stored values. */
export function createRedisProtocol(
  place: Place,
  pairing: Pairing,
  text: DecodeText,
): Protocol<RedisStream> {
  const decoder = createRedisDecoder({
    text,
    sink: {
      start: (_, offset) => pairing.start(offset),
      command(_, { name, statement }) {
        const { connection, direction } = place;
        if (LISTENS.has(name.toLowerCase())) connection.isListening = true;
        pairing.asked(plainRequest(direction, connection, { method: name, path: statement }));
      },
      reply(_, { type, error }) {
        const { connection, direction } = place;
        if (connection.isListening && connection.waiting.length === 0) return;
        const outcome = type === 'Error' ? 'server-error' : 'success';
        pairing.answered(plainResponse(direction, { reason: error, result: type, outcome }));
      },
      end: () => pairing.end(),
      trouble: (_, reason) => pairing.trouble(reason),
    },
  });
  return {
    name: 'redis',
    createStream: createRedisStream,
    push: decoder.push,
    gap: decoder.gap,
    turn: decoder.turn,
    close: decoder.close,
    lose: decoder.lose,
    isHidden: isRedisHidden,
  };
}
