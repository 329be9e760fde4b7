import { useEffect, useSyncExternalStore } from 'react';

const MICROS = 1_000;
const LIVE_MS = 5_000;
const listeners = new Set<() => void>();
let asOfUs = Date.now() * MICROS;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Moves "now": every relative time range is asked for anew. */
export function refreshNow(): void {
  asOfUs = Date.now() * MICROS;
  for (const listener of listeners) listener();
}

/**
 * The "now" that relative ranges end at, in µs. It stands still between refreshes, so that all
 * panels and all pages of a list speak of the same range. Moves by itself while `isLive`.
 */
export function useNow(isLive: boolean): number {
  useEffect(() => {
    if (!isLive) return;
    refreshNow();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') refreshNow();
    }, LIVE_MS);
    return () => clearInterval(timer);
  }, [isLive]);
  return useSyncExternalStore(subscribe, () => asOfUs);
}
