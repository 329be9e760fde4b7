// The 64-bit hash that Prometheus gives a label set, so that `limit_ratio` picks the same series.
// Source: the xxHash specification (XXH64, seed 0); lengths as Prometheus stores label strings.
import type { Labels } from '../series-source.ts';

const P1 = 11_400_714_785_074_694_791n;
const P2 = 14_029_467_366_897_019_727n;
const P3 = 1_609_587_929_392_839_161n;
const P4 = 9_650_029_242_287_828_579n;
const P5 = 2_870_177_450_012_600_261n;
const MASK = (1n << 64n) - 1n;

const rotate = (value: bigint, bits: bigint): bigint =>
  ((value << bits) | (value >> (64n - bits))) & MASK;
const round = (state: bigint, lane: bigint): bigint =>
  (rotate((state + lane * P2) & MASK, 31n) * P1) & MASK;
const merge = (hash: bigint, state: bigint): bigint => ((hash ^ round(0n, state)) * P1 + P4) & MASK;

function littleEndian(bytes: readonly number[], at: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
}

export function xxHash64(bytes: readonly number[]): bigint {
  const { length } = bytes;
  let at = 0;
  let hash = P5;
  if (length >= 32) {
    let [a, b, c, d] = [(P1 + P2) & MASK, P2, 0n, (MASK + 1n - P1) & MASK];
    for (; at + 32 <= length; at += 32) {
      a = round(a, littleEndian(bytes, at, 8));
      b = round(b, littleEndian(bytes, at + 8, 8));
      c = round(c, littleEndian(bytes, at + 16, 8));
      d = round(d, littleEndian(bytes, at + 24, 8));
    }
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK;
    for (const state of [a, b, c, d]) hash = merge(hash, state);
  }
  hash = (hash + BigInt(length)) & MASK;
  for (; at + 8 <= length; at += 8) {
    hash ^= round(0n, littleEndian(bytes, at, 8));
    hash = (rotate(hash, 27n) * P1 + P4) & MASK;
  }
  if (at + 4 <= length) {
    hash ^= (littleEndian(bytes, at, 4) * P1) & MASK;
    hash = (rotate(hash, 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < length; at++) {
    hash ^= (BigInt(bytes[at] ?? 0) * P5) & MASK;
    hash = (rotate(hash, 11n) * P1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

/** From 0 up to 1: where a label set falls among all. */
export function labelsShare(labels: Labels): number {
  const bytes: number[] = [];
  for (const pair of labels) {
    for (const text of pair) {
      const encoded = utf8(text);
      bytes.push(...lengthBytes(encoded.length), ...encoded);
    }
  }
  return Number(xxHash64(bytes)) / 2 ** 64;
}

const lengthBytes = (length: number): readonly number[] =>
  length < 255 ? [length] : [255, length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff];

function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x10000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    } else {
      const tail = [12, 6, 0].map((shift) => 0x80 | ((code >> shift) & 0x3f));
      bytes.push(0xf0 | (code >> 18), ...tail);
    }
  }
  return bytes;
}
