import {
  createFastcgiDecoder,
  createFastcgiStream,
  type FastcgiStream,
  type Http1Head,
} from '@thalweg/wire';
import { type HeadSettings, headerTable } from './http1.ts';
import { createMessageReader } from './message.ts';
import type { Pairing, Place } from './pairing.ts';
import type { Protocol } from './protocol.ts';

/** What a web server asks an application such as PHP: HTTP's words, as CGI's variables say them. */
export function createFastcgiProtocol(
  place: Place,
  pairing: Pairing,
  settings: HeadSettings,
): Protocol<FastcgiStream> {
  const reader = createMessageReader(new Set(settings.headers));

  function head(message: Http1Head): void {
    const { connection, direction } = place;
    if (message.isRequest) {
      pairing.asked(reader.request(message, direction, connection.answeredNs));
    } else pairing.answered(reader.response(message, direction));
  }

  const decoder = createFastcgiDecoder({
    headers: headerTable(settings),
    text: settings.text,
    sink: {
      start: (_, offset) => pairing.start(offset),
      head: (_, message) => head(message),
      end: () => pairing.end(),
      trouble: (_, reason) => pairing.trouble(reason),
    },
  });
  return {
    name: 'fastcgi',
    createStream: createFastcgiStream,
    push: decoder.push,
    gap: decoder.gap,
    turn: decoder.turn,
    close: decoder.close,
    lose: decoder.lose,
  };
}
