import type { Theme } from './theme.ts';

// Hues in degrees of OKLCH, neighbours far apart. None lies near 25: red means error.
const HUES = [230, 160, 305, 80, 195, 340, 125, 275, 60, 250, 178, 105, 320, 145, 290, 212];

/** FNV-1a: the same name has the same colour on each page, in each session. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

function colorAt(index: number, theme: Theme): string {
  const hue = HUES[index % HUES.length] ?? 230;
  return theme === 'dark' ? `oklch(0.74 0.115 ${hue})` : `oklch(0.76 0.125 ${hue})`;
}

/** Colour of one service, where no others stand beside it. */
export function serviceColor(service: string, theme: Theme): string {
  return colorAt(hashOf(service) % HUES.length, theme);
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
    let index = hashOf(service) % HUES.length;
    while (taken.size < HUES.length && taken.has(index)) index = (index + 1) % HUES.length;
    taken.add(index);
    colors.set(service, colorAt(index, theme));
  }
  return colors;
}
