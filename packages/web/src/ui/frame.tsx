import { type ReactNode, useEffect, useRef } from 'react';
import { NavLink } from 'react-router';
import { useKeys } from './keys.ts';
import { Mark } from './mark.tsx';
import { type Shortcut, ShortcutList } from './shortcuts.tsx';
import { cycleTheme, type ThemeChoice, useThemeChoice } from './theme.ts';

const SUN_RAYS =
  'M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.5 1.5M11.5 11.5 13 13M3 13l1.5-1.5M11.5 4.5 13 3';
const SUN = `M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6z${SUN_RAYS}`;
const THEME_ICONS: Record<ThemeChoice, string> = {
  system: 'M2.5 3.5h11v7h-11zM6 13.5h4M8 10.5v3',
  dark: 'M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5z',
  light: SUN,
};

interface FrameProps {
  readonly title: string;
  /** What the keys of this page do, besides those that work everywhere. */
  readonly shortcuts: readonly Shortcut[];
  readonly children: ReactNode;
}

/** The top bar with the name, the pages, the theme and the help; below it a page. */
export function Frame({ title, shortcuts, children }: FrameProps): ReactNode {
  const help = useRef<HTMLDialogElement>(null);
  const choice = useThemeChoice();
  const openHelp = (): void => help.current?.showModal();
  useKeys([
    ['?', openHelp],
    ['T', cycleTheme],
  ]);
  useEffect(() => {
    document.title = `${title} · Thalweg`;
  }, [title]);
  return (
    <div className="frame">
      <header className="top">
        <NavLink to="/traces" className="brand" aria-label="Thalweg">
          <Mark />
          <span>Thalweg</span>
        </NavLink>
        <nav aria-label="Pages">
          <NavLink to="/traces">Traces</NavLink>
        </nav>
        <span className="spring" />
        <button
          type="button"
          className="icon-button"
          onClick={cycleTheme}
          aria-label={`Theme: ${choice}`}
          title={`Theme: ${choice} (T)`}
        >
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path
              d={THEME_ICONS[choice]}
              fill="none"
              stroke="currentColor"
              strokeWidth="1.3"
              strokeLinecap="round"
              strokeLinejoin="round"
            />
          </svg>
        </button>
        <button
          type="button"
          className="icon-button"
          onClick={openHelp}
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
        >
          <kbd>?</kbd>
        </button>
      </header>
      <main>{children}</main>
      <dialog ref={help} className="help" aria-label="Keyboard shortcuts">
        <ShortcutList shortcuts={shortcuts} onClose={() => help.current?.close()} />
      </dialog>
    </div>
  );
}
