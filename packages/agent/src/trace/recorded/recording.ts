import { blankTransfer, type Transfer } from '../../flow/transfer.ts';

// What the kernel reported of a run, as text: one JSON array a line, so that a recording outlives
// changes of the kernel's records. Recordings are made by scripts/record-links.ts.

const FIELDS = [
  'kind',
  'direction',
  'atNs',
  'connection',
  'role',
  'pid',
  'tid',
  'localPort',
  'remotePort',
  'sequence',
  'length',
  'turnId',
  'causeId',
  'causeKind',
  'lostBefore',
] as const satisfies readonly (keyof Transfer)[];
/** Of each transfer's bytes: heads of the recorded programs are shorter. */
const PREFIX_BYTES_MAX = 256;
/** Before the payload: two addresses and a name, all empty. */
const PAYLOAD_AT = 48;

/** A line without its end: numbers in the order of `FIELDS`, then the first bytes as text. */
export function recordLine(transfer: Transfer): string {
  const { bytes, bytesAt, captured, length } = transfer;
  const count = Math.min(captured, length, PREFIX_BYTES_MAX);
  const prefix = String.fromCharCode(...bytes.subarray(bytesAt, bytesAt + count));
  return JSON.stringify([...FIELDS.map((field) => transfer[field]), prefix]);
}

/** The transfers of a recording, in order; each is valid until the next. Throws on what is none. */
export function* readRecording(text: string): Generator<Transfer> {
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const values: unknown = JSON.parse(line);
    if (!Array.isArray(values) || values.length !== FIELDS.length + 1) {
      throw new Error(`not a line of a recording: ${line.slice(0, 40)}`);
    }
    const prefix = String(values[FIELDS.length]);
    const bytes = new Uint8Array(PAYLOAD_AT + prefix.length);
    for (let i = 0; i < prefix.length; i += 1) bytes[PAYLOAD_AT + i] = prefix.charCodeAt(i);
    const transfer: Transfer = {
      ...blankTransfer(bytes),
      netns: 1,
      remoteAddressAt: 16,
      commAt: 32,
      captured: prefix.length,
      bytesAt: PAYLOAD_AT,
    };
    FIELDS.forEach((field, at) => {
      transfer[field] = Number(values[at]);
    });
    yield transfer;
  }
}
