import {
  createPostgresqlDecoder,
  createPostgresqlStream,
  type DecodeText,
  type PostgresqlStream,
} from '@thalweg/wire';
import { plainRequest, plainResponse } from './message.ts';
import type { Pairing, Place } from './pairing.ts';
import type { Protocol } from './protocol.ts';

/** Requests up to Sync and answers up to ReadyForQuery, in order. SQL is without literals. */
export function createPostgresqlProtocol(
  place: Place,
  pairing: Pairing,
  text: DecodeText,
): Protocol<PostgresqlStream> {
  const decoder = createPostgresqlDecoder({
    text,
    sink: {
      start: (_, offset) => pairing.start(offset),
      request(_, { type, sql, domain }) {
        const { connection, direction } = place;
        if (domain !== '') connection.domain = domain;
        const facts = { method: type, path: sql, host: connection.domain };
        pairing.asked(plainRequest(direction, connection, facts));
      },
      answer(_, { outcome, error, result }) {
        pairing.answered(plainResponse(place.direction, { outcome, reason: error, result }));
      },
      end: () => pairing.end(),
      trouble: (_, reason) => pairing.trouble(reason),
    },
  });
  return {
    name: 'postgresql',
    createStream: createPostgresqlStream,
    push: decoder.push,
    gap: decoder.gap,
    turn: decoder.turn,
    close: decoder.close,
    lose: decoder.lose,
  };
}
