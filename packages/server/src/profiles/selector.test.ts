import { expect, test } from 'vitest';
import { profileFilter } from './profile-filter.ts';
import { parseProfileType, parseSelector, profileTypeId } from './selector.ts';

test.each([
  { text: '', matchers: [] },
  { text: '{}', matchers: [] },
  {
    text: '{service_name="shop", pod=~"a|\\"b\\"", env!="x",}',
    matchers: [
      { name: 'service_name', kind: '=', value: 'shop' },
      { name: 'pod', kind: '=~', value: 'a|"b"' },
      { name: 'env', kind: '!=', value: 'x' },
    ],
  },
  { text: 'a="b"', matchers: 'selector is not in braces' },
  { text: '{a=~"("}', matchers: 'not a regular expression: (' },
  {
    text: '{a b}',
    matchers: 'selector is not name="value", name!="value", name=~"re" or name!~"re"',
  },
])('the selector $text', ({ text, matchers }) => {
  expect(parseSelector(text)).toEqual(matchers);
});

test('a profile type keeps its event and unit', () => {
  expect(parseProfileType('process_cpu:cpu:nanoseconds:cpu:nanoseconds')).toEqual({
    event: 'cpu',
    unit: 'nanoseconds',
  });
  expect(parseProfileType(profileTypeId({ event: 'wall', unit: 'ns' }))).toEqual({
    event: 'wall',
    unit: 'ns',
  });
  expect(parseProfileType('cpu')).toBeUndefined();
});

test('no text of a selector gets into the SQL', () => {
  const evil = "x') OR 1=1 --";
  const { where, params } = profileFilter({
    startMs: 1_000,
    endMs: 2_000,
    selectors: [`{service_name="${evil}", tag!~"${evil.replace(')', '')}"}`],
    profileType: `a:${evil}:c:d:e`,
  });
  expect(where).toBe(
    'time >= {startS:UInt32} AND time <= {endS:UInt32} AND app_service = {v1:String} AND ' +
      'NOT (match(tag_values[indexOf(tag_names, {v2n:String})], {v2:String})) AND ' +
      'profile_event_type = {e3:String} AND profile_value_unit = {u3:String}',
  );
  expect(params).toMatchObject({ startS: 1, endS: 2, v1: evil, v2n: 'tag', e3: evil });
});
