import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProtoWriter, type ProtoWriter } from '../protobuf/writer.ts';
import { readEpochUs, readProfileName } from './app-name.ts';
import { decodePprof } from './decode.ts';
import { decodeFolded, decodeStackLines } from './folded.ts';
import { PROFILE_LIMITS, SHORTENED } from './profile.ts';

const encoder = new TextEncoder();

interface Drawn {
  readonly types: readonly (readonly [string, string])[];
  /** Frames root first; each inner list is one location's inlined functions, outermost first. */
  readonly samples: readonly { stack: readonly (readonly string[])[]; label: string }[];
}

/** Packs numbers as protobuf does for repeated scalars. */
function packed(writer: ProtoWriter, field: number, values: readonly number[]): void {
  const inner: number[] = [];
  for (const value of values) {
    let rest = value;
    while (rest >= 128) {
      inner.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    inner.push(rest);
  }
  writer.bytesField(field, Uint8Array.from(inner));
}

/** Writes a profile with its string table last, as some writers do. */
function toProto({ types, samples }: Drawn): Uint8Array {
  const writer = createProtoWriter();
  const strings = [''];
  const indexOf = (text: string): number => {
    if (!strings.includes(text)) strings.push(text);
    return strings.indexOf(text);
  };
  const functions: string[] = [];
  const locations: string[] = [];
  for (const [type, unit] of types) {
    writer.messageField(1, () => {
      writer.varintField(1, indexOf(type));
      writer.varintField(2, indexOf(unit));
    });
  }
  for (const [at, { stack, label }] of samples.entries()) {
    const ids = stack.map((frames) => {
      const key = frames.join('\n');
      if (!locations.includes(key)) locations.push(key);
      for (const frame of frames) if (!functions.includes(frame)) functions.push(frame);
      return locations.indexOf(key) + 1;
    });
    writer.messageField(2, () => {
      packed(writer, 1, [...ids].reverse());
      packed(
        writer,
        2,
        types.map((_, i) => at * 10 + i + 1),
      );
      writer.messageField(3, () => {
        writer.varintField(1, indexOf('thread'));
        writer.varintField(2, indexOf(label));
      });
    });
  }
  for (const [at, key] of locations.entries()) {
    writer.messageField(4, () => {
      writer.varintField(1, at + 1);
      for (const frame of key.split('\n').reverse()) {
        writer.messageField(4, () => {
          writer.varintField(1, functions.indexOf(frame) + 1);
          writer.varintField(2, 7);
        });
      }
    });
  }
  for (const [at, name] of functions.entries()) {
    writer.messageField(5, () => {
      writer.varintField(1, at + 1);
      writer.varintField(2, indexOf(name));
    });
  }
  writer.varintField(9, 1_700_000_000_000_000_000n);
  writer.varintField(10, 10_000_000_000);
  for (const text of strings) {
    writer.messageField(6, () => undefined);
    if (text !== '') throw new Error('BUG: only the first string is empty');
    break;
  }
  for (const text of strings.slice(1)) writer.textField(6, text);
  return writer.finish();
}

const word = fc.stringMatching(/^[a-z]{1,6}$/);
const drawn: fc.Arbitrary<Drawn> = fc.record({
  types: fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 3 }),
  samples: fc.array(
    fc.record({
      stack: fc.array(fc.array(word, { minLength: 1, maxLength: 2 }), {
        minLength: 1,
        maxLength: 5,
      }),
      label: word,
    }),
    { maxLength: 5 },
  ),
});

test('a profile decodes to its stacks, root first, inlined frames in their place', () => {
  fc.assert(
    fc.property(drawn, (profile) => {
      expect(decodePprof(toProto(profile))).toEqual({
        kind: 'decoded',
        value: {
          sampleTypes: profile.types.map(([type, unit]) => ({ type, unit })),
          samples: profile.samples.map(({ stack, label }, at) => ({
            stack: stack.flat().join(';'),
            values: profile.types.map((_, i) => at * 10 + i + 1),
            labels: [['thread', label]],
          })),
          timeNs: 1_700_000_000_000_000_000,
          durationNs: 10_000_000_000,
          periodType: { type: '', unit: '' },
          period: 0,
          shortenedStacks: 0,
        },
      });
    }),
    { seed: 51 },
  );
});

test('never throws on arbitrary bytes, and refuses every truncation', () => {
  const [profile] = fc.sample(
    drawn.filter(({ samples }) => samples.length > 2),
    { numRuns: 1, seed: 52 },
  );
  if (profile === undefined) throw new Error('no sample');
  const bytes = toProto(profile);
  const whole = decodePprof(bytes);
  for (let size = 0; size < bytes.length; size += 1) {
    const cut = decodePprof(bytes.subarray(0, size));
    // Cut between two fields it is a smaller profile; never the same one.
    if (cut.kind === 'decoded') expect(cut).not.toEqual(whole);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => void decodePprof(noise)),
    { seed: 53, numRuns: 2_000 },
  );
  const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(flips, (changes) => {
      const changed = bytes.slice();
      for (const [at, byte] of changes) changed[at] = byte;
      decodePprof(changed);
    }),
    { seed: 54, numRuns: 2_000 },
  );
});

test.each([
  { name: 'nothing', bytes: [], reason: 'no sample types' },
  {
    name: 'a sample with too few values',
    bytes: [0x0a, 0x00, 0x12, 0x00, 0x32, 0x00],
    reason: 'sample 0 has 0 values for 1 types',
  },
])('refuses $name', ({ bytes, reason }) => {
  expect(decodePprof(Uint8Array.from(bytes))).toEqual({ kind: 'invalid', reason });
});

/** One location with one function named `name`, in `samples` samples of `depth` frames. */
function repeated(name: string, depth: number, samples: number): Uint8Array {
  const writer = createProtoWriter();
  writer.messageField(1, () => undefined);
  for (let i = 0; i < samples; i += 1) {
    writer.messageField(2, () => {
      packed(writer, 1, [...new Array<number>(depth - 1).fill(1), 1 + (i % 2)]);
      packed(writer, 2, [1]);
    });
  }
  for (const id of [1, 2]) {
    writer.messageField(4, () => {
      writer.varintField(1, id);
      writer.messageField(4, () => writer.varintField(1, 1));
    });
  }
  writer.messageField(5, () => {
    writer.varintField(1, 1);
    writer.varintField(2, 1);
  });
  writer.messageField(6, () => undefined);
  writer.textField(6, name);
  return writer.finish();
}

test('a stack too deep or too long keeps its leaf and says so', () => {
  for (const bytes of [repeated('f', 5_000, 1), repeated('f'.repeat(9_000), 10, 1)]) {
    const answer = decodePprof(bytes);
    if (answer.kind === 'invalid') throw new Error(answer.reason);
    const stack = answer.value.samples[0]?.stack ?? '';
    expect(stack.length).toBeLessThanOrEqual(PROFILE_LIMITS.stackLengthMax);
    expect(stack.startsWith(`${SHORTENED};f`)).toBe(true);
    expect(answer.value.shortenedStacks).toBe(1);
  }
});

test('a name that would split a stack does not', () => {
  const answer = decodePprof(repeated('a;b\nc', 1, 1));
  expect(answer).toMatchObject({ value: { samples: [{ stack: 'a:b:c' }] } });
});

test('folded stacks and plain lines are read, a bad line is refused by itself', () => {
  expect(decodeFolded(encoder.encode('a;b c 3\nbroken\n\nd 1\n'))).toEqual({
    kind: 'decoded',
    value: {
      items: [
        { stack: 'a;b c', value: 3 },
        { stack: 'd', value: 1 },
      ],
      refused: 1,
      firstRefusal: { at: 1, reason: 'not a stack, a space and a whole number' },
    },
  });
  expect(decodeStackLines(encoder.encode('a;b\na;b\n'))).toMatchObject({
    value: {
      items: [
        { stack: 'a;b', value: 1 },
        { stack: 'a;b', value: 1 },
      ],
    },
  });
});

test.each([
  { text: 'shop', name: { app: 'shop', labels: [] } },
  {
    text: 'shop.cpu{region="eu, \\"west\\"",env=prod}',
    name: {
      app: 'shop.cpu',
      labels: [
        ['region', 'eu, "west"'],
        ['env', 'prod'],
      ],
    },
  },
  { text: 'a{}', name: { app: 'a', labels: [] } },
  { text: '{a="b"}', name: 'name is missing' },
  { text: 'a{b', name: 'name has no closing }' },
  { text: 'a{b}', name: 'name: labels are not key=value near b' },
])('the name $text is read or refused', ({ text, name }) => {
  expect(readProfileName(text)).toEqual(name);
});

test.each(['1700000000', '1700000000000', '1700000000000000', '1700000000000000000'])(
  '%s is the same point in time',
  (text) => {
    expect(readEpochUs(text)).toBe(1_700_000_000_000_000);
  },
);
