import { EMPTY } from '../sockets/connection.ts';
import type { Framing, RequestHead, ResponseHead } from './head.ts';
import type { Field, HeaderFields } from './header-fields.ts';

/** Bounds of one head. Beyond them the answer is 414 (line) or 431 (fields). */
export interface HeadLimits {
  readonly lineBytesMax: number;
  readonly fieldsMax: number;
  readonly headBytesMax: number;
}

/** What the field lines of a request say of it, with its version. */
export type RequestFacts = Pick<
  RequestHead,
  'isHttp10' | 'framing' | 'isKeepAlive' | 'expectsContinue' | 'upgrade'
>;

/** What the field lines of an answer say of it, with its status, its version and the method. */
export interface ResponseFacts extends Pick<ResponseHead, 'status' | 'isHttp10' | 'isKeepAlive'> {
  readonly method: string;
  readonly framing: Framing;
}

/** Field lines longer than this are read each time: so much is held for a connection at most. */
const KNOWN_BYTES_MAX = 1_024;

/**
 * How the heads of a connection are read, with the field lines of the last one: the next one often has
 * the same, octet by octet, and then they need not be read again. A class, against rule 11: objects
 * of many shapes would make reading slower.
 */
export class HeadReading {
  readonly limits: HeadLimits;
  /** Lines with the empty one, and perhaps more behind them. */
  private octets: Buffer = EMPTY;
  private size = 0;
  private list: readonly Field[] = [];
  /** Of the last message, as long as the field lines are the same. */
  request: RequestFacts | undefined = undefined;
  response: ResponseFacts | undefined = undefined;

  constructor(limits: HeadLimits) {
    this.limits = limits;
  }

  /** Adds them to `fields` if `bytes` have them at `from`, and answers where they end; 0: they do not. */
  recall(bytes: Buffer, from: number, fields: HeaderFields): number {
    const { octets, size } = this;
    if (size === 0 || bytes.length - from < size) return 0;
    for (let i = 0; i < size; i++) if (bytes[from + i] !== octets[i]) return 0;
    for (const one of this.list) fields.take(one);
    return from + size;
  }

  /** `fields` are what `[from, end)` says. */
  keep(bytes: Buffer, from: number, end: number, { list }: HeaderFields): void {
    this.request = undefined;
    this.response = undefined;
    this.size = end - from;
    if (this.size > KNOWN_BYTES_MAX) this.size = 0;
    if (this.size > this.octets.length) this.octets = Buffer.allocUnsafeSlow(this.size);
    bytes.copy(this.octets, 0, from, from + this.size);
    this.list = this.size === 0 ? [] : list.slice();
  }
}
