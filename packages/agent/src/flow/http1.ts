import {
  BODY_FRAMED,
  BODY_NONE,
  BODY_TUNNEL,
  createHeaderTable,
  createHttp1Decoder,
  createHttp1Stream,
  type DecodeText,
  type HeaderTable,
  type Http1Head,
  type Http1Sink,
  type Http1Stream,
} from '@thalweg/wire';
import type { CountingFlow } from './counters.ts';
import { createMessageReader, MEANT_HEADERS } from './message.ts';
import { otherDirection, type Pairing, type Place } from './pairing.ts';
import type { Protocol } from './protocol.ts';

/** How heads with HTTP's headers are read. */
export interface HeadSettings {
  /** Names of headers that are kept, lower case. */
  readonly headers: readonly string[];
  readonly headersRedacted: readonly string[];
  readonly headBytesMax: number;
  readonly text: DecodeText;
}

/** The headers that are kept in rows, and those that are read for their meaning. */
export function headerTable({ headers, headersRedacted }: HeadSettings): HeaderTable {
  return createHeaderTable({
    kept: [...headers, ...MEANT_HEADERS],
    meant: MEANT_HEADERS,
    secret: headersRedacted,
  });
}

export function createHttp1Protocol(
  place: Place,
  pairing: Pairing,
  counters: CountingFlow,
  settings: HeadSettings,
): Protocol<Http1Stream> {
  const reader = createMessageReader(new Set(settings.headers));
  const sink: Http1Sink = {
    start: (_, offset) => pairing.start(offset),
    head: (_, message) => head(message),
    end: () => pairing.end(),
    trouble: (_, reason) => pairing.trouble(reason),
  };
  const decoder = createHttp1Decoder({
    headers: headerTable(settings),
    sink,
    text: settings.text,
    headBytesMax: settings.headBytesMax,
  });

  function head(message: Http1Head): number {
    if (message.isCut) counters.headsCut += 1;
    if (!message.isRequest) return response(message);
    pairing.asked(reader.request(message, place.direction, place.connection.answeredNs));
    return BODY_FRAMED;
  }

  function response(message: Http1Head): number {
    // An interim answer is not the answer. Source: RFC 9110 §15.2.
    if (message.status < 200 && message.status !== 101) return BODY_NONE;
    const { connection: of, direction: from } = place;
    const part = reader.response(message, from);
    if (of.waiting.length === 0) askedInPart();
    const answered = pairing.answered(part);
    const method = answered?.request.method;
    const isAgreed = message.status >= 200 && message.status < 300;
    if (message.status === 101 || (method === 'CONNECT' && isAgreed)) {
      counters.tunnels += 1;
      const other = otherDirection(of, from);
      decoder.tunnel(streamOf(other.stream));
      return BODY_TUNNEL;
    }
    return method === 'HEAD' ? BODY_NONE : BODY_FRAMED;
  }

  /** An answer to a request whose head did not end before: its rest was not captured. */
  function askedInPart(): void {
    const from = place.direction;
    place.direction = otherDirection(place.connection, from);
    decoder.cut(streamOf(place.direction.stream));
    place.direction = from;
  }

  return {
    name: 'http1',
    createStream: createHttp1Stream,
    push: decoder.push,
    gap: decoder.gap,
    turn: decoder.turn,
    close: decoder.close,
    lose: decoder.lose,
  };
}

/** Both directions of a connection have streams of its protocol. */
function streamOf(stream: object): Http1Stream {
  return stream as Http1Stream;
}
