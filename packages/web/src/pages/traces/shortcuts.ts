import type { Shortcut } from '../../ui/shortcuts.tsx';

export const TRACES_SHORTCUTS: readonly Shortcut[] = [
  { keys: ['/'], does: 'filter' },
  { keys: ['j', 'k'], does: 'next, previous trace' },
  { keys: ['Enter'], does: 'open the trace' },
  { keys: ['Home', 'End'], does: 'first, last loaded trace' },
  { keys: ['t'], does: 'choose the time range' },
  { keys: ['r'], does: 'ask again' },
  { keys: ['L'], does: 'live: ask again every 5 seconds' },
  { keys: ['Esc'], does: 'let go of the trace' },
];
