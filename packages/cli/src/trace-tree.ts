import { type Span, titleOf } from '@thalweg/model';

/** What a span's parent is worth: probability and what speaks for it; '' for a root. */
function linkText({ link }: Span): string {
  return link === null ? '' : `p=${link.probability.toFixed(2)} ${link.evidence.join('+')}`.trim();
}

/** Of an interface its name and its host's; else the service. */
function placeOf({ signal, service, hostName, fields }: Span): string {
  return signal === 'N' ? `${fields['capture_nic_name']} ${hostName}` : service;
}

/** The spans of processes and SDKs alone, each under the nearest of them above it. */
export function withoutInterfaces(spans: readonly Span[]): readonly Span[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return spans.flatMap((span) => {
    if (span.signal === 'N') return [];
    let parentId = span.parentId;
    for (let above = byId.get(parentId ?? ''); above?.signal === 'N'; ) {
      parentId = above.parentId;
      above = byId.get(parentId ?? '');
    }
    return [{ ...span, parentId }];
  });
}

/** A trace as a tree for the terminal: one aligned line for each span, in the answer's order. */
export function traceTree({
  spans,
}: {
  readonly spans: readonly Span[];
}): readonly (readonly string[])[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = new Map<string | null, Span[]>();
  for (const span of spans) {
    const parent = span.parentId !== null && known.has(span.parentId) ? span.parentId : null;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const rows: string[][] = [];
  const drawn = new Set<string>();
  // Iterative: a trace may be thousands deep. A cycle is never reached from a root.
  const open = (children.get(null) ?? []).map((span) => ({ span, lead: '', branch: '' })).reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { span, lead, branch } = next;
    if (drawn.has(span.spanId)) continue;
    drawn.add(span.spanId);
    rows.push([
      `${lead}${branch}${span.observationPoint} ${placeOf(span)}`,
      titleOf(span),
      String(span.status),
      `${((span.endUs - span.startUs) / 1e3).toFixed(2)} ms`,
      linkText(span),
    ]);
    const below = lead + (branch === '' ? '' : branch === '└─ ' ? '   ' : '│  ');
    const kids = children.get(span.spanId) ?? [];
    for (const [at, kid] of [...kids.entries()].reverse()) {
      open.push({ span: kid, lead: below, branch: at === kids.length - 1 ? '└─ ' : '├─ ' });
    }
  }
  return rows;
}
