import { expect, test } from 'vitest';
import { ServerSettings } from '../config.ts';
import { checkChange, editedChoices } from './retention-choice.ts';

test('a change may name tables with or without their database; null takes a choice back', () => {
  const change = {
    hours: { l7_flow_log: 48, 'application_log.log': null },
    bytes: { samples: 2e6 },
  };
  const checked = checkChange(change);
  expect(checked).toEqual({
    kind: 'valid',
    hours: { 'flow_log.l7_flow_log': 48, 'application_log.log': null },
    bytes: { 'prometheus.samples': 2e6 },
  });
  const before = { 'application_log.log': 5, 'prometheus.samples': 7 };
  expect(checked.kind === 'valid' && editedChoices(before, checked.hours)).toEqual({
    'flow_log.l7_flow_log': 48,
    'prometheus.samples': 7,
  });
});

test('every mistake of a change is named, with its table', () => {
  const hours = { l7_flow_lok: 1, log: 0, samples: 1.5, trace_index: 9, 'flow_log.l7_flow_log': 9 };
  const bytes = { log: 50, in_process: 'much' };
  expect(checkChange({ hours: { ...hours, l7_flow_log: 3 }, bytes })).toEqual({
    kind: 'invalid',
    mistakes: [
      'hours: unknown table "l7_flow_lok"; did you mean "l7_flow_log"?',
      'hours: log: 0 is not a whole number of hours from 1 to 87,600',
      'hours: samples: 1.5 is not a whole number of hours from 1 to 87,600',
      'hours: trace_index: follows l7_flow_log, choose for those',
      'hours: l7_flow_log: given twice',
      'bytes: log: 50 is not a whole number of bytes from 1,000,000',
      'bytes: in_process: "much" is not a whole number of bytes from 1,000,000',
    ],
  });
});

test.each([
  { name: 'a map', given: { l7_flow_log: 48, log: 9 } },
  { name: 'a text, as the environment has it', given: ' l7_flow_log=48, log=9 ' },
])('the setting is read from $name', ({ given }) => {
  expect(ServerSettings.parse({ retention_hours: given }).retention_hours).toEqual({
    'flow_log.l7_flow_log': 48,
    'application_log.log': 9,
  });
});

test.each([
  { given: { nope: 1, log: null }, words: ['unknown table "nope"', 'log: has no value'] },
  { given: 'log', words: ['"log" is not TABLE=NUMBER'] },
  { given: 'log=1,log=2', words: ['log: given twice'] },
])('the setting $given is refused with every mistake', ({ given, words }) => {
  const { error } = ServerSettings.safeParse({ retention_hours: given });
  expect(error?.issues.map(({ message }) => message)).toEqual(words);
});
