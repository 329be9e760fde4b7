import type { Theme } from './theme.ts';

// Hues in degrees of OKLCH, each in a bright or a deep tone, so that close hues differ in tone.
// No hue lies near 25: red means error.
const TONES: readonly (readonly [hue: number, tone: 'bright' | 'deep'])[] = [
  [235, 'bright'],
  [165, 'bright'],
  [310, 'bright'],
  [75, 'bright'],
  [255, 'deep'],
  [345, 'bright'],
  [130, 'bright'],
  [275, 'bright'],
  [60, 'deep'],
  [195, 'bright'],
  [325, 'deep'],
  [100, 'bright'],
  [180, 'deep'],
  [290, 'deep'],
  [145, 'deep'],
  [215, 'deep'],
];
const LIGHTNESS = { dark: { bright: 0.77, deep: 0.65 }, light: { bright: 0.79, deep: 0.68 } };

/** What is no service: grey, readable under dark text in both themes. */
export const NETWORK_COLOR = 'oklch(0.74 0.015 250)';

/** FNV-1a: the same name has the same colour on each page, in each session. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

function colorAt(index: number, theme: Theme): string {
  const [hue, tone] = TONES[index % TONES.length] ?? [235, 'bright'];
  return `oklch(${LIGHTNESS[theme][tone]} 0.12 ${hue})`;
}

/** Colour of one service, where no others stand beside it. */
export function serviceColor(service: string, theme: Theme): string {
  return colorAt(hashOf(service) % TONES.length, theme);
}

/**
 * Colours of services that are drawn together: the hash decides, and where two meet the later name
 * takes the next free colour. Past 16 services colours repeat.
 */
export function serviceColors(
  services: readonly string[],
  theme: Theme,
): ReadonlyMap<string, string> {
  const colors = new Map<string, string>();
  const taken = new Set<number>();
  for (const service of [...new Set(services)].sort()) {
    let index = hashOf(service) % TONES.length;
    while (taken.size < TONES.length && taken.has(index)) index = (index + 1) % TONES.length;
    taken.add(index);
    colors.set(service, colorAt(index, theme));
  }
  return colors;
}
