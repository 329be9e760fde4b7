import { createHash } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';

/** What a broken or hostile sender posts. Nothing of it is worth a row. */
export interface BadBody {
  readonly name: string;
  /** Made when it is sent: some are large. */
  bytes(): Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Takes a while: other names of a path need not have it too. */
  readonly isLarge?: boolean;
}

const MEGABYTE = 2 ** 20;
const JSON_TYPE = { 'content-type': 'application/json' };
const PROTOBUF_TYPE = { 'content-type': 'application/x-protobuf' };
const SNAPPY = { ...PROTOBUF_TYPE, 'content-encoding': 'snappy' };
const text = (content: string): Uint8Array => Buffer.from(content);

/** Bodies that no path may take, each in the type that its receivers read. */
export function badBodies(): BadBody[] {
  const noise = noiseOf(65_536);
  const zeros = () => new Uint8Array(128 * MEGABYTE);
  return [
    {
      name: 'a protobuf message that is cut off',
      bytes: () => Uint8Array.of(10, 255, 127, 1),
      headers: PROTOBUF_TYPE,
    },
    { name: 'noise as protobuf', bytes: () => noise, headers: PROTOBUF_TYPE },
    { name: 'noise as snappy', bytes: () => noise, headers: SNAPPY },
    { name: 'noise as JSON', bytes: () => noise, headers: JSON_TYPE },
    {
      name: 'a snappy block of 64 GB',
      bytes: () => Uint8Array.of(255, 255, 255, 255, 15, 0),
      headers: SNAPPY,
    },
    {
      name: 'JSON that is cut off',
      bytes: () => text('{"resourceSpans":[{"scopeSpans"'),
      headers: JSON_TYPE,
    },
    { name: 'arrays a million deep', bytes: () => text('['.repeat(1e6)), headers: JSON_TYPE },
    { name: 'objects a million deep', bytes: () => text('{"a":'.repeat(1e6)), headers: JSON_TYPE },
    {
      name: '10 million empty arrays',
      bytes: () => text(`[${'[],'.repeat(1e7)}[]]`),
      headers: JSON_TYPE,
      isLarge: true,
    },
    {
      name: 'gzip of 128 MB',
      bytes: () => gzipSync(zeros()),
      headers: { ...PROTOBUF_TYPE, 'content-encoding': 'gzip' },
      isLarge: true,
    },
    {
      name: 'gzip of 128 MB as JSON',
      bytes: () => gzipSync(zeros()),
      headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
      isLarge: true,
    },
    {
      name: 'deflate of 128 MB',
      bytes: () => deflateSync(zeros()),
      headers: { ...PROTOBUF_TYPE, 'content-encoding': 'deflate' },
      isLarge: true,
    },
    {
      name: 'an encoding that nobody has',
      bytes: () => noise,
      headers: { 'content-encoding': 'compress' },
    },
    { name: 'no gzip', bytes: () => noise, headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } },
    { name: '100 MB', bytes: () => new Uint8Array(100 * MEGABYTE), isLarge: true },
  ];
}

/** The same bytes each time, with no pattern in them. */
function noiseOf(size: number): Uint8Array {
  const parts: Buffer[] = [];
  for (let at = 0; at < size; at += 32) parts.push(createHash('sha256').update(`${at}`).digest());
  return Buffer.concat(parts, size);
}
