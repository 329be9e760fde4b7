import { RE2JS } from 're2js';
import { quote } from '../parse/quoting.ts';

/** Characters of a pattern; RE2 compiles in time and memory proportional to it. */
const PATTERN_SIZE_MAX = 10_000;
/** Compiled patterns kept; past it the oldest is forgotten. */
const PATTERNS_MAX = 500;

/** Matches whole values only, in time linear in the value: RE2, so no pattern is hostile. */
export interface AnchoredRegex {
  matches(value: string): boolean;
  /** `template` with `$1`, `${name}` and `$$` filled in as Go does; undefined: no match. */
  expand(value: string, template: string): string | undefined;
}

const compiled = new Map<string, AnchoredRegex | { readonly fault: string }>();

/** The compiled pattern, or Prometheus's words on what is wrong with it. */
export function anchoredRegex(pattern: string): AnchoredRegex | { readonly fault: string } {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = compile(pattern);
  const oldest = compiled.size >= PATTERNS_MAX ? compiled.keys().next() : undefined;
  if (oldest?.done === false) compiled.delete(oldest.value);
  compiled.set(pattern, made);
  return made;
}

/** Undefined: the pattern is fine. */
export function regexFault(pattern: string): string | undefined {
  const regex = anchoredRegex(pattern);
  return 'fault' in regex ? regex.fault : undefined;
}

function compile(pattern: string): AnchoredRegex | { readonly fault: string } {
  if (pattern.length > PATTERN_SIZE_MAX) {
    return { fault: `regular expression of ${pattern.length} characters, the most is 10000` };
  }
  const literals = literalAlternatives(pattern);
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(`^(?s:${pattern})$`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { fault: reason.includes('error parsing regexp') ? reason : badRegex(pattern, reason) };
  }
  return {
    matches: literals === undefined ? (value) => regex.matches(value) : (v) => literals.has(v),
    expand(value, template) {
      const matcher = regex.matcher(value);
      if (!matcher.matches()) return undefined;
      return expandTemplate(template, (name) => groupOf(regex, matcher, name));
    },
  };
}

const badRegex = (pattern: string, reason: string): string =>
  `error parsing regexp: ${reason}: ${quote(pattern)}`;

/** `a|b|c` without any operator: looked up in a set. Undefined where RE2 must decide. */
function literalAlternatives(pattern: string): ReadonlySet<string> | undefined {
  return /[\\.+*?()[\]{}^$]/.test(pattern) ? undefined : new Set(pattern.split('|'));
}

function groupOf(regex: RE2JS, matcher: ReturnType<RE2JS['matcher']>, name: string): string {
  if (/^\d+$/.test(name)) {
    const index = Number(name);
    return index <= matcher.groupCount() ? (matcher.group(index) ?? '') : '';
  }
  const groups: Readonly<Record<string, number>> = regex.namedGroups();
  const index = Object.hasOwn(groups, name) ? groups[name] : undefined;
  return index === undefined ? '' : (matcher.group(index) ?? '');
}

/** Source: Go's documentation of `Regexp.Expand`: `$name` takes the longest word. */
function expandTemplate(template: string, group: (name: string) => string): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced, bare) =>
    whole === '$$' ? '$' : group(braced ?? bare),
  );
}
