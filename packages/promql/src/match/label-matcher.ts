import type { Matcher } from '../series-source.ts';
import { anchoredRegex } from './anchored-regex.ts';

/** Whether a value satisfies the matcher; an absent label has the empty value. */
export function matcherTest({ operator, value }: Matcher): (candidate: string) => boolean {
  if (operator === '=') return (candidate) => candidate === value;
  if (operator === '!=') return (candidate) => candidate !== value;
  const regex = anchoredRegex(value);
  // The parser has refused bad patterns; one that comes by another way matches nothing.
  if ('fault' in regex) return () => false;
  return operator === '=~' ? regex.matches : (candidate) => !regex.matches(candidate);
}

export const matchesEmpty = (matcher: Matcher): boolean => matcherTest(matcher)('');
