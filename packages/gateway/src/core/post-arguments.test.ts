import { expect, test } from 'vitest';
import { HeaderFields } from './http/header-fields.ts';
import { makeContext } from './make-context.ts';
import { isVariableName, postArgument, readsBody } from './post-arguments.ts';

function context(type: string, text: string) {
  const { head, body } = makeContext({ method: 'POST', host: 'x', target: '/' });
  const fields = new HeaderFields();
  fields.add('Content-Type', type);
  return { head: { ...head, fields }, body: { ...body, whole: () => Buffer.from(text) } };
}

const JSON_TEXT = JSON.stringify({
  model: { name: 'm' },
  n: 5,
  messages: [{ content: [{ type: 'text' }, { type: 'image' }] }, { content: 'x' }],
});
const FORM = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n--b--\r\n';

test.each([
  { type: 'application/json', text: JSON_TEXT, path: 'model.name', want: 'm' },
  { type: 'application/json', text: JSON_TEXT, path: 'n', want: '5' },
  {
    type: 'application/json',
    text: JSON_TEXT,
    path: 'messages[*].content[*].type',
    want: ['text', 'image'],
  },
  { type: 'application/json', text: JSON_TEXT, path: 'messages[0].content[1].type', want: 'image' },
  { type: 'application/json', text: JSON_TEXT, path: 'model', want: undefined },
  { type: 'application/json', text: '{', path: 'n', want: undefined },
  { type: 'application/x-www-form-urlencoded', text: 'a=1&b=2', path: 'b', want: '2' },
  { type: 'multipart/form-data; boundary=b', text: FORM, path: 'a', want: 'v' },
  { type: 'text/plain', text: 'a=1', path: 'a', want: undefined },
])('$path of $type is $want', ({ type, text, path, want }) => {
  expect(postArgument(context(type, text), path)).toEqual(want);
});

test('a path with an open bracket is no name', () => {
  expect(isVariableName('post_arg.a[*].b')).toBe(true);
  expect(isVariableName('post_arg.a[.b')).toBe(false);
  expect(readsBody([['OR', ['post_arg_a', '==', '1'], ['uri', '==', '/']]])).toBe(true);
  expect(readsBody([['http_post_arg', '==', '1']])).toBe(false);
});
