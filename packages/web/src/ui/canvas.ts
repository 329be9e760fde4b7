import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTheme } from './theme.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Size of an element's content box in CSS pixels; 0 × 0 before the first layout. */
export function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return;
    const measure = (): void => {
      const { clientWidth: width, clientHeight: height } = target;
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    measure();
    return () => observer.disconnect();
  }, [element]);
  return size;
}

/** The value of a colour token as the theme has it now. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export type Draw = (context: CanvasRenderingContext2D, size: Size) => void;

/**
 * A canvas that is drawn once per frame at most, at the screen's own resolution, again whenever
 * `draw`, the size or the theme changes. `draw` must be stable between renders (useCallback).
 */
export function useCanvas(draw: Draw, size: Size): RefObject<HTMLCanvasElement | null> {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: tokens change with the theme.
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const element = canvas.current;
      const context = element?.getContext('2d');
      if (!element || !context) return;
      const scale = window.devicePixelRatio || 1;
      element.width = Math.round(size.width * scale);
      element.height = Math.round(size.height * scale);
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.clearRect(0, 0, size.width, size.height);
      draw(context, size);
    });
    return () => cancelAnimationFrame(frame);
  }, [draw, size, theme]);
  return canvas;
}
