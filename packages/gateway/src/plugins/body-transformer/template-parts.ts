import { type LuaToken, luaTokens, TemplateError } from './lua-tokens.ts';

/** Characters of a template. */
const TEMPLATE_SIZE_MAX = 1 << 20;
/** What opens a tag, by what closes it. */
const CLOSERS: Readonly<Record<string, string>> = {
  '{{': '}}',
  '{*': '*}',
  '{%': '%}',
  '{#': '#}',
  '{(': ')}',
  '{[': ']}',
};
const RAW = /^\{-(raw|verbatim)-\}\n?([\s\S]*?)\{-\1-\}\n?/;

/**
 * Cuts a template into one row of Lua tokens: text and `{{ }}` are `output`, `{% %}` stands as it is.
 * Source: lua-resty-template's documented syntax. Throws `TemplateError`.
 */
export function templateTokens(template: string): readonly LuaToken[] {
  if (template.length > TEMPLATE_SIZE_MAX) {
    throw new TemplateError(`${template.length} characters, the most is ${TEMPLATE_SIZE_MAX}`);
  }
  const tokens: LuaToken[] = [];
  let text = '';
  const write = (): void => {
    if (text !== '') tokens.push({ kind: 'output', text: '' }, { kind: 'string', text });
    text = '';
  };
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{', at);
    const tag = open < 0 ? '' : template.slice(open, open + 2);
    if (open < 0) {
      text += template.slice(at);
      break;
    }
    const closer = CLOSERS[tag];
    const raw = tag === '{-' ? RAW.exec(template.slice(open)) : null;
    if (closer === undefined && raw === null) {
      if (tag === '{-') throw refused(template.slice(open, open + 20), 'blocks');
      text += template.slice(at, open + 1);
      at = open + 1;
      continue;
    }
    // A backslash before a tag makes it text.
    if (template[open - 1] === '\\' && open > at) {
      text += `${template.slice(at, open - 1)}${tag}`;
      at = open + 2;
      continue;
    }
    text += template.slice(at, open);
    if (raw !== null) {
      text += raw[2] ?? '';
      at = open + raw[0].length;
      continue;
    }
    const close = template.indexOf(closer ?? '', open + 2);
    if (close < 0) throw new TemplateError(`"${tag}" without "${closer}"`);
    if (tag === '{(' || tag === '{[') throw refused(template.slice(open, close + 2), 'inclusion');
    const source = template.slice(open + 2, close);
    at = close + 2;
    if (tag === '{{' || tag === '{*') {
      write();
      tokens.push({ kind: 'output', text: '', isEscaped: tag === '{{' }, ...luaTokens(source));
      continue;
    }
    // A tag that writes nothing leaves no line of its own behind.
    text = text.replace(/[ \t]+$/, '');
    write();
    if (template[at] === '\n') at += 1;
    if (tag === '{%') tokens.push(...luaTokens(source));
  }
  write();
  tokens.push({ kind: 'end', text: 'the end of the template' });
  return tokens;
}

function refused(tag: string, what: string): TemplateError {
  return new TemplateError(`"${tag}": ${what} of other templates is not there`);
}
