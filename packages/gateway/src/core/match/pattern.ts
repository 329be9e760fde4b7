import { RE2JS } from 're2js';

/** Characters of a pattern; RE2 compiles in time and memory proportional to them. */
const PATTERN_SIZE_MAX = 10_000;
/** Compiled patterns kept; past it the oldest is forgotten. */
const PATTERNS_MAX = 1_000;

/** What one match found: the whole and its groups, as text, and where it stands. */
export interface Captures {
  readonly groups: readonly (string | undefined)[];
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * A regular expression that somebody configured. It runs in time linear in the text (RE2), so no
 * pattern and no text can stall the gateway; PCRE's backreferences and lookaheads are the price.
 */
export interface Pattern {
  readonly kind: 'pattern';
  /** It matches somewhere in `text`. */
  test(text: string): boolean;
  /** The first match; undefined when there is none. */
  find(text: string): Captures | undefined;
  /** `text` with the first match, or each, replaced. */
  replace(text: string, scope: 'first' | 'all', by: (captures: Captures) => string): string;
}

export type CompiledPattern = Pattern | { readonly kind: 'invalid'; readonly reason: string };

const FLAGS: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
};

/** What PCRE has and RE2 has not: told apart from a mistake, since the pattern worked elsewhere. */
const PCRE_ONLY = /\(\?[=!>|R&]|\(\?<[=!]|\(\?#|\\[1-9gkKhHRXG]|[*+?}]\+/;

const compiled = new Map<string, CompiledPattern>();

/** `flags` are PCRE's as APISIX takes them: `i`, `m` and `s` count; `j`, `o`, `u` change nothing. */
export function compilePattern(source: string, flags = ''): CompiledPattern {
  const key = `${flags}/${source}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const made = compile(source, flags);
  const oldest = compiled.size >= PATTERNS_MAX ? compiled.keys().next() : undefined;
  if (oldest?.done === false) compiled.delete(oldest.value);
  compiled.set(key, made);
  return made;
}

/** What is wrong with the first pattern that cannot be used; undefined when all can. */
export function patternFault(sources: readonly string[], flags = ''): string | undefined {
  for (const source of sources) {
    const made = compilePattern(source, flags);
    if (made.kind === 'invalid') return made.reason;
  }
  return undefined;
}

/** Those of `sources` that compile: a checked configuration has no other. */
export function patternsOf(sources: readonly string[], flags = ''): readonly Pattern[] {
  return sources.flatMap((source) => {
    const made = compilePattern(source, flags);
    return made.kind === 'pattern' ? [made] : [];
  });
}

function compile(source: string, flags: string): CompiledPattern {
  if (source.length > PATTERN_SIZE_MAX) {
    return invalid(`of ${source.length} characters, the most is ${PATTERN_SIZE_MAX}`);
  }
  let bits = RE2JS.LOOKBEHINDS;
  for (const flag of flags) bits |= FLAGS[flag] ?? 0;
  try {
    return patternOf(RE2JS.compile(source, bits));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = PCRE_ONLY.test(source)
      ? '; lookahead, backreferences, atomic groups and other syntax that only PCRE has are not ' +
        'supported: patterns follow RE2, so that none can stall the gateway'
      : '';
    return invalid(`${JSON.stringify(source)}: ${reason}${hint}`);
  }
}

function invalid(why: string): CompiledPattern {
  return { kind: 'invalid', reason: `invalid regular expression ${why}` };
}

function patternOf(regex: RE2JS): Pattern {
  /** Telling that there is no match costs a third of finding the groups. */
  const test = (text: string): boolean => regex.test(text);
  return {
    kind: 'pattern',
    test,
    find(text) {
      if (!test(text)) return undefined;
      const matcher = regex.matcher(text);
      return matcher.find() ? capturesOf(matcher) : undefined;
    },
    replace(text, scope, by) {
      if (!test(text)) return text;
      const matcher = regex.matcher(text);
      let replaced = '';
      let from = 0;
      while (matcher.find()) {
        const captures = capturesOf(matcher);
        replaced += text.slice(from, captures.start) + by(captures);
        from = captures.end;
        if (scope === 'first') break;
      }
      return replaced + text.slice(from);
    },
  };
}

function capturesOf(matcher: ReturnType<RE2JS['matcher']>): Captures {
  const groups: (string | undefined)[] = [];
  for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? undefined);
  return { groups, start: matcher.start(), end: matcher.end() };
}

/** `$1` and `${1}` of a template filled in; a group that took no part is empty. */
export function withCaptures(template: string, { groups }: Captures): string {
  return template.replace(
    /\$(?:(\d{1,2})|\{(\d{1,2})\})/g,
    (_, bare?: string, braced?: string) => groups[Number(bare ?? braced)] ?? '',
  );
}
