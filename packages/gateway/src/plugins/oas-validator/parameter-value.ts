import type { Parameter } from './document.ts';

/** What separates the parts of a value, by style. Source: OpenAPI 3.0, "Style Values". */
const SEPARATORS: Readonly<Record<string, string>> = {
  ...{ form: ',', simple: ',', spaceDelimited: ' ', pipeDelimited: '|', label: '.', matrix: ';' },
};

/** A parameter as its schema sees it; undefined when it is not there. */
export function queryValue(parameter: Parameter, query: URLSearchParams): unknown {
  const { name, type, style = 'form', explodes = style === 'form', members } = parameter;
  if (parameter.isJson) return jsonValue(query.get(name) ?? undefined);
  if (type === 'array') {
    const all = query.getAll(name);
    if (all.length === 0) return undefined;
    return explodes ? all : (all[0] ?? '').split(SEPARATORS[style] ?? ',');
  }
  if (type === 'scalar') return query.get(name) ?? undefined;
  if (style === 'deepObject') return deepObject(name, query);
  if (!explodes) {
    const text = query.get(name);
    return text === null ? undefined : pairs(text.split(SEPARATORS[style] ?? ','));
  }
  const found = members.filter((member) => query.has(member));
  if (found.length === 0) return undefined;
  return Object.fromEntries(found.map((member) => [member, query.get(member)]));
}

/** The same of a path or a field, whose style is `simple` unless said otherwise. */
export function simpleValue(parameter: Parameter, given: string | undefined): unknown {
  if (given === undefined) return undefined;
  if (parameter.isJson) return jsonValue(given);
  const { name, type, style = 'simple', explodes = false } = parameter;
  const text =
    style === 'label'
      ? given.replace(/^\./, '')
      : style === 'matrix'
        ? given.replace(/^;/, '').replace(explodes && type === 'object' ? '' : `${name}=`, '')
        : given;
  if (type === 'scalar') return text;
  const parts = text.split(explodes ? (SEPARATORS[style] ?? ',') : ',').map((part) => part.trim());
  if (type === 'array') return parts.map((part) => part.replace(`${name}=`, ''));
  return explodes ? Object.fromEntries(parts.map(nameAndValue)) : pairs(parts);
}

function jsonValue(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function deepObject(name: string, query: URLSearchParams): unknown {
  const found = [...query].flatMap(([key, value]) => {
    const isMember = key.startsWith(`${name}[`) && key.endsWith(']');
    return isMember ? [[key.slice(name.length + 1, -1), value] as const] : [];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function pairs(parts: readonly string[]): Readonly<Record<string, string>> {
  const names = parts.filter((_, i) => i % 2 === 0);
  return Object.fromEntries(names.map((name, i) => [name, parts[i * 2 + 1] ?? '']));
}

function nameAndValue(part: string): readonly [string, string] {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
}
