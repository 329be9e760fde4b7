import { parseDuration, parseNumber } from '../parse/numbers.ts';
import { ScriptFault } from './script.ts';

/** A duration or a number of seconds, as milliseconds. */
export function timeOf(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^-/, '');
  const duration = parseDuration(body);
  if (typeof duration === 'number') return sign * duration;
  const seconds = parseNumber(body);
  if (seconds === undefined) throw new ScriptFault(`bad time ${text}`);
  return sign * Math.round(seconds * 1000);
}
