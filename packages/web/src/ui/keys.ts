import { useEffect, useRef } from 'react';

/** Keys as `KeyboardEvent.key` names them, with `Shift+` where the key has no shifted name. */
type Keys = readonly (readonly [key: string, act: () => void])[];

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ['INPUT', 'SELECT', 'TEXTAREA'].includes(target.tagName);
}

/** Enter and space press the focused control; they are not ours there. */
function pressesControl(event: KeyboardEvent): boolean {
  const isPress = event.key === 'Enter' || event.key === ' ';
  return isPress && event.target instanceof Element && event.target.closest('button,a') !== null;
}

/**
 * Page-wide shortcuts. Silent while the user types in a field, while a dialog is open and with
 * Ctrl, Alt or Meta held, so the browser's own shortcuts stay the browser's.
 */
export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      if (isTyping(event.target) || pressesControl(event)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const name = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
      const act = current.current.find(([key]) => key === name)?.[1];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
