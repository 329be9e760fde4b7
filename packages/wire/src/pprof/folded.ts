import {
  createListCollector,
  type Decoded,
  type DecodedList,
  decoded,
  invalid,
} from '../decoded.ts';
import { PROFILE_LIMITS, SHORTENED } from './profile.ts';

/** A stack, root first and joined by `;`, and how often it was seen. */
export interface FoldedStack {
  readonly stack: string;
  readonly value: number;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: false });

/** Decodes `root;…;leaf count` lines, as stackcollapse tools write them. */
export function decodeFolded(bytes: Uint8Array): Decoded<DecodedList<FoldedStack>> {
  return decodeLines(bytes, (line) => {
    const space = line.lastIndexOf(' ');
    const count = line.slice(space + 1);
    if (space <= 0 || !/^\d{1,15}$/.test(count)) return 'not a stack, a space and a whole number';
    return { stack: shortenedStack(line.slice(0, space)), value: Number(count) };
  });
}

/** Decodes lines which are one sample each. */
export function decodeStackLines(bytes: Uint8Array): Decoded<DecodedList<FoldedStack>> {
  return decodeLines(bytes, (line) => ({ stack: shortenedStack(line), value: 1 }));
}

function decodeLines(
  bytes: Uint8Array,
  read: (line: string) => FoldedStack | string,
): Decoded<DecodedList<FoldedStack>> {
  const text = decoder.decode(bytes);
  const stacks = createListCollector<FoldedStack>();
  let at = 0;
  for (let from = 0; from < text.length; at += 1) {
    if (at === PROFILE_LIMITS.samplesMax) return invalid(`more than ${at} lines`);
    const found = text.indexOf('\n', from);
    const end = found < 0 ? text.length : found;
    const line = text.slice(from, end).trim();
    from = end + 1;
    if (line === '') continue;
    const stack = read(line);
    if (typeof stack === 'string') stacks.refuse(at, stack);
    else stacks.keep(stack);
  }
  return decoded(stacks.list());
}

/** Keeps the leaf's side of a stack that is too long. */
function shortenedStack(stack: string): string {
  const most = PROFILE_LIMITS.stackLengthMax;
  if (stack.length <= most) return stack;
  const rest = stack.slice(stack.length - most + SHORTENED.length + 1);
  const cut = rest.indexOf(';');
  return `${SHORTENED};${cut < 0 ? rest : rest.slice(cut + 1)}`;
}
