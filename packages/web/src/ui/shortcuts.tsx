import type { ReactNode } from 'react';

export interface Shortcut {
  readonly keys: readonly string[];
  readonly does: string;
}

const EVERYWHERE: readonly Shortcut[] = [
  { keys: ['?'], does: 'show this list' },
  { keys: ['T'], does: 'change the theme: system, dark, light' },
];

interface ShortcutListProps {
  readonly shortcuts: readonly Shortcut[];
  onClose(): void;
}

/** What each key does on this page. */
export function ShortcutList({ shortcuts, onClose }: ShortcutListProps): ReactNode {
  return (
    <>
      <h2>
        Keyboard shortcuts
        <button type="button" className="icon-button" onClick={onClose} aria-label="Close">
          ✕
        </button>
      </h2>
      <dl>
        {[...shortcuts, ...EVERYWHERE].map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
