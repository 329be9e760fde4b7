import type { Shortcut } from '../../ui/shortcuts.tsx';

export const TRACE_SHORTCUTS: readonly Shortcut[] = [
  { keys: ['↑', '↓', 'j', 'k'], does: 'previous, next span' },
  { keys: ['←', '→'], does: 'collapse or go to the parent, expand or go to the child' },
  { keys: ['Enter'], does: 'open the drawer' },
  { keys: ['Esc'], does: 'close the drawer, then leave the find' },
  { keys: ['f', '/'], does: 'find' },
  { keys: ['n', 'N'], does: 'next, previous match' },
  { keys: ['o'], does: 'only matches' },
  { keys: ['+', '−', '0'], does: 'zoom in, out, see all' },
  { keys: ['a', 'd'], does: 'move left, right in time' },
  { keys: ['z'], does: 'zoom to the span' },
  { keys: ['c'], does: 'mark the critical path' },
  { keys: ['v'], does: 'both views, waterfall, flame graph' },
  { keys: ['C', 'E'], does: 'collapse to the first level, expand all' },
  { keys: ['u'], does: 'back to the list' },
];
