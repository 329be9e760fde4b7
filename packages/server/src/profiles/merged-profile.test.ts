import { createProtoWriter, decodePprof } from '@thalweg/wire';
import { expect, test } from 'vitest';
import { encodeMessage } from './connect-codec.ts';
import { mergedProfile } from './merged-profile.ts';
import { QUERIER_METHODS } from './querier-messages.ts';

test('stacks that are written as a profile are read back as they were', () => {
  const stacks = [
    { stack: 'main;read;[k] sys_read', value: 80 },
    { stack: 'main;main', value: 20 },
  ];
  const writer = createProtoWriter();
  const valueType = { type: 'cpu', unit: 'nanoseconds' };
  const type = { event: 'cpu', unit: 'nanoseconds' };
  const value = mergedProfile(stacks, {
    type,
    startMs: 1_785_000_000_123,
    endMs: 1_785_000_001_123,
  });
  encodeMessage(writer, QUERIER_METHODS.SelectMergeProfile.answer, value);
  expect(decodePprof(writer.finish())).toEqual({
    kind: 'decoded',
    value: {
      sampleTypes: [valueType],
      samples: stacks.map(({ stack, value }) => ({ stack, values: [value], labels: [] })),
      timeNs: 1_785_000_000_123_000_000,
      durationNs: 1e9,
      periodType: valueType,
      period: 0,
      shortenedStacks: 0,
    },
  });
});
