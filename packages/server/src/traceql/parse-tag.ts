import { intrinsicOf, SCOPES } from './names.ts';
import type { Field, Scope } from './syntax.ts';

export type TagName = Extract<Field, { kind: 'intrinsic' | 'attribute' }>;

/** A tag as completion names it: `resource.service.name`, `.foo`, `span."my key"`, `status`. */
export function parseTag(tag: string): TagName {
  const known = intrinsicOf(tag, false);
  if (known?.kind === 'intrinsic') return known;
  const scoped = /^([a-z]+)\.(.+)$/s.exec(tag);
  const [scope, name] =
    scoped?.[1] !== undefined && SCOPES.has(scoped[1]) && scoped[1] !== 'parent'
      ? [scoped[1] as Scope, scoped[2] ?? ''] // Asked of SCOPES just now.
      : ['any' as const, tag.replace(/^\./, '')];
  return { kind: 'attribute', scope, name: name.replace(/^"(.*)"$/s, '$1'), ofParent: false };
}
