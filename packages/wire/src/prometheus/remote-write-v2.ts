import {
  type ProtoCursor,
  protoCursor,
  protoFault,
  readDouble,
  readLengthEnd,
  readSignedVarint,
  readTag,
  readVarint,
  skipField,
} from '../protobuf/reader.ts';
import {
  METRIC_TYPES,
  nested,
  type RemoteWriteLimits,
  type RemoteWriteSink,
  readHistogram,
  readSample,
  readText,
} from './remote-write.ts';

const SYMBOL = 0x22;
const SERIES = 0x2a;

/**
 * Reads io.prometheus.write.v2.Request (remote write 2.0). Answers what is malformed, or ''; see
 * `decodeWriteRequest`. Symbols may stand behind the series that use them.
 */
export function decodeWriteRequestV2(
  bytes: Uint8Array,
  sink: RemoteWriteSink,
  limits: RemoteWriteLimits,
): string {
  const symbols: string[] = [];
  const first = protoCursor(bytes);
  for (let tag = readTag(first); tag !== 0; tag = readTag(first)) {
    if (tag === SYMBOL) symbols.push(readText(first));
    else skipField(first, tag);
  }
  if (first.fault !== '') return first.fault;
  if (symbols.length > 0 && symbols[0] !== '') return 'the first symbol is not the empty one';
  const cursor = protoCursor(bytes);
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === SERIES) nested(cursor, () => readSeries(cursor, symbols, sink, limits));
    else skipField(cursor, tag);
  }
  return cursor.fault;
}

function readSeries(
  cursor: ProtoCursor,
  symbols: readonly string[],
  sink: RemoteWriteSink,
  limits: RemoteWriteLimits,
): void {
  // Labels first, wherever they stand: points need their series.
  const start = cursor.at;
  const labels: string[] = [];
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag >>> 3 === 1) readReferences(cursor, tag, symbols, labels, limits);
    else skipField(cursor, tag);
  }
  if (cursor.fault !== '') return;
  if (labels.length % 2 === 1) {
    protoFault(cursor, 'a label name without a value');
    return;
  }
  if (!sink.seriesLabels(labels)) return;
  cursor.at = start;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    switch (tag) {
      case 0x12:
        readSample(cursor, sink);
        break;
      case 0x1a:
        nested(cursor, () => readHistogram(cursor, sink));
        break;
      case 0x22:
        nested(cursor, () => readExemplar(cursor, symbols, sink, limits));
        break;
      case 0x2a:
        nested(cursor, () => readMetadata(cursor, symbols, sink));
        break;
      default:
        skipField(cursor, tag);
    }
  }
}

/** Packed, or one by one: a reader takes both. */
function readReferences(
  cursor: ProtoCursor,
  tag: number,
  symbols: readonly string[],
  labels: string[],
  limits: RemoteWriteLimits,
): void {
  if ((tag & 7) === 0) {
    pushSymbol(cursor, symbols, labels, limits);
    return;
  }
  if ((tag & 7) !== 2) {
    protoFault(cursor, 'label references of a wrong type');
    return;
  }
  const outer = cursor.end;
  const end = readLengthEnd(cursor);
  cursor.end = end;
  while (cursor.at < cursor.end) pushSymbol(cursor, symbols, labels, limits);
  cursor.end = outer;
  if (cursor.fault !== '') cursor.at = outer;
}

function pushSymbol(
  cursor: ProtoCursor,
  symbols: readonly string[],
  labels: string[],
  limits: RemoteWriteLimits,
): void {
  const reference = readVarint(cursor);
  const symbol = symbols[reference];
  if (symbol === undefined) {
    protoFault(cursor, `symbol ${reference} of ${symbols.length}`);
  } else if (labels.length >= 2 * limits.labelsMax) {
    protoFault(cursor, `more labels than ${limits.labelsMax}`);
  } else labels.push(symbol);
}

function readExemplar(
  cursor: ProtoCursor,
  symbols: readonly string[],
  sink: RemoteWriteSink,
  limits: RemoteWriteLimits,
): void {
  const labels: string[] = [];
  let value = 0;
  let timestampMs = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag >>> 3 === 1) readReferences(cursor, tag, symbols, labels, limits);
    else if (tag === 0x11) value = readDouble(cursor);
    else if (tag === 0x18) timestampMs = readSignedVarint(cursor);
    else skipField(cursor, tag);
  }
  if (cursor.fault === '' && labels.length % 2 === 0) sink.exemplar(timestampMs, value, labels);
}

function readMetadata(
  cursor: ProtoCursor,
  symbols: readonly string[],
  sink: RemoteWriteSink,
): void {
  let type = 0;
  let help = 0;
  let unit = 0;
  for (let tag = readTag(cursor); tag !== 0; tag = readTag(cursor)) {
    if (tag === 0x08) type = readVarint(cursor);
    else if (tag === 0x18) help = readVarint(cursor);
    else if (tag === 0x20) unit = readVarint(cursor);
    else skipField(cursor, tag);
  }
  if (cursor.fault !== '') return;
  const [helpText, unitText] = [symbols[help] ?? '', symbols[unit] ?? ''];
  sink.metadata('', METRIC_TYPES[type] ?? 'unknown', helpText, unitText);
}
