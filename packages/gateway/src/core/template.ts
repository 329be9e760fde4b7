import type { RequestContext } from './request-context.ts';

export interface Resolved {
  readonly text: string;
  /** How many of the variables had a value. */
  readonly resolvedCount: number;
}

const REFERENCE = /\\\$|\$\{\s*([A-Za-z_]\w*)\s*(?:\?\?\s*([^}]*?)\s*)?\}|\$([A-Za-z_]\w*)/g;

/**
 * Text with `$name`, `${name}` and `${name ?? default}` replaced; `\$` stands for a dollar sign. A
 * variable without value is empty. `escaped` is what stands for a variable's value.
 */
export function resolveTemplate(
  context: Pick<RequestContext, 'variable'>,
  template: string,
  escaped: (value: string) => string = (value) => value,
): Resolved {
  if (!template.includes('$')) return { text: template, resolvedCount: 0 };
  let resolvedCount = 0;
  const text = template.replace(
    REFERENCE,
    (whole, braced?: string, fallback?: string, bare?: string) => {
      const name = braced ?? bare;
      if (name === undefined) return whole === '\\$' ? '$' : whole;
      const value = context.variable(name);
      if (value !== undefined) resolvedCount += 1;
      return value === undefined ? (fallback ?? '') : escaped(value);
    },
  );
  return { text, resolvedCount };
}
