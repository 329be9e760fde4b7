import { useSyncExternalStore } from 'react';

export type Theme = 'dark' | 'light';
export type ThemeChoice = Theme | 'system';

const STORAGE_KEY = 'thalweg.theme';
const NEXT: Record<ThemeChoice, ThemeChoice> = { system: 'dark', dark: 'light', light: 'system' };
const listeners = new Set<() => void>();
const lightQuery = matchMedia('(prefers-color-scheme: light)');

function storedChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    return stored === 'dark' || stored === 'light' ? stored : 'system';
  } catch {
    return 'system'; // Storage is forbidden here: the choice lasts as long as the page.
  }
}

let choice = storedChoice();

function apply(): void {
  const system: Theme = lightQuery.matches ? 'light' : 'dark';
  document.documentElement.setAttribute('data-theme', choice === 'system' ? system : choice);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) lightQuery.addEventListener('change', apply);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) lightQuery.removeEventListener('change', apply);
  };
}

/** From system to dark to light and round again. Kept in this browser. */
export function cycleTheme(): void {
  choice = NEXT[choice];
  try {
    localStorage.setItem(STORAGE_KEY, choice);
  } catch {
    // Storage is forbidden here: the choice lasts as long as the page.
  }
  apply();
}

/** What the user chose. */
export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, () => choice);
}

/** What is drawn. A canvas depends on it to draw again. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () =>
    document.documentElement.getAttribute('data-theme') === 'light' ? 'light' : 'dark',
  );
}
