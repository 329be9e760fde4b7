import { type Span, titleOf } from '@thalweg/model';
import { memo, type ReactNode } from 'react';
import { formatDuration, formatProbability, plural } from '../../ui/format.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import type { CriticalStretch } from '../trace-tree/critical-path.ts';
import { isSure, type TraceTree } from '../trace-tree/tree.ts';
import { barShare, type TimeWindow } from '../trace-tree/window.ts';
import { INDENT_PX, labelPlace, rowLines } from './geometry.ts';

const SIGNALS: Record<Span['signal'], string> = {
  A: 'application span',
  S: 'system span, seen at a process’s system calls',
  N: 'network span, seen on the wire',
};
const MIDDLE_PX = 13;
const ROW_PX = 26;

interface RowProps {
  readonly tree: TraceTree;
  readonly index: number;
  readonly window: TimeWindow;
  readonly color: string;
  readonly isCollapsed: boolean;
  readonly isSelected: boolean;
  readonly isMatch: boolean;
  readonly isDim: boolean;
  /** Where the end of the trace waited for this span itself. */
  readonly critical: readonly CriticalStretch[] | undefined;
  onSelect(index: number): void;
  onToggle(index: number): void;
}

/** One span: its place in the tree, what it is, and when it ran. */
export const Row = memo(function Row(props: RowProps): ReactNode {
  const { tree, index, isCollapsed, onSelect, onToggle } = props;
  const span = tree.spans[index];
  if (span === undefined) return null;
  const childCount = tree.childCount[index] ?? 0;
  const classes = ['row'];
  if (props.isSelected) classes.push('is-selected');
  if (props.isMatch) classes.push('is-match');
  if (props.isDim) classes.push('is-dim');
  const { indent } = rowLines(tree, index);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the page's keys move, fold and open rows.
    <div
      className={classes.join(' ')}
      role="treeitem"
      tabIndex={-1}
      aria-level={(tree.depth[index] ?? 0) + 1}
      aria-selected={props.isSelected}
      aria-expanded={childCount > 0 ? !isCollapsed : undefined}
      aria-label={`${span.service} ${span.method} ${span.path}, ${formatDuration(span.endUs - span.startUs)}`}
      onClick={() => onSelect(index)}
    >
      <div className="row-name">
        <TreeLines tree={tree} index={index} />
        {childCount > 0 ? (
          <button
            type="button"
            className="fold"
            tabIndex={-1}
            aria-label={isCollapsed ? 'Expand' : 'Collapse'}
            style={{ left: indent * INDENT_PX }}
            onClick={(event) => {
              event.stopPropagation();
              onToggle(index);
            }}
          >
            {isCollapsed ? '▸' : '▾'}
          </button>
        ) : null}
        <span className="row-text" style={{ paddingLeft: indent * INDENT_PX + 18 }}>
          <i className="swatch" style={{ background: props.color }} />
          <abbr className={`signal signal-${span.signal}`} title={SIGNALS[span.signal]}>
            {span.signal}
          </abbr>
          <span className="point">{span.observationPoint}</span>
          <span className="row-service">
            {span.signal === 'N' ? span.fields['capture_nic_name'] : span.service}
          </span>
          <span className="row-path">{span.signal === 'N' ? span.hostName : titleOf(span)}</span>
        </span>
        <Badges {...props} span={span} />
      </div>
      <Bar {...props} span={span} />
    </div>
  );
});

/** What must be seen without opening the span: what it hides, its link, its outcome. */
function Badges({ tree, index, isCollapsed, span }: RowProps & { readonly span: Span }): ReactNode {
  const childCount = tree.childCount[index] ?? 0;
  const below = (tree.errors[index] ?? 0) - (span.isError ? 1 : 0);
  return (
    <>
      {isCollapsed && childCount > 0 && (
        <span className="badge">+{(tree.end[index] ?? 0) - index - 1}</span>
      )}
      {isCollapsed && below > 0 && (
        <span className="badge badge-error" title={`${plural(below, 'error')} below`}>
          {below} ✕
        </span>
      )}
      {span.isLossy && (
        <span className="badge badge-warn" title="events of this connection were lost">
          lossy
        </span>
      )}
      <LinkChip span={span} />
      {(span.isError || !span.isAnswered) && <StatusBadge {...span} />}
    </>
  );
}

function Bar({
  tree,
  window,
  color,
  span,
  critical = [],
}: RowProps & { readonly span: Span }): ReactNode {
  const startUs = span.startUs - tree.startUs;
  const endUs = span.endUs - tree.startUs;
  const { left, width } = barShare(window, startUs, endUs);
  const { side } = labelPlace(left, width);
  const from = Math.max(0, left);
  const to = Math.min(1, left + width);
  const at =
    side === 'after'
      ? { left: `${Math.max(0, to) * 100}%` }
      : { right: `${(1 - (side === 'before' ? Math.min(1, from) : to)) * 100}%` };
  return (
    <div className="row-time">
      {to >= 0 && from <= 1 && (
        <>
          <i
            className={`bar${span.isError ? ' is-error' : ''}${isSure(span) ? '' : ' is-unsure'}`}
            style={{
              left: `${from * 100}%`,
              width: `${Math.max(0, to - from) * 100}%`,
              background: color,
            }}
          />
          {critical.map((stretch) => (
            <Stretch key={stretch.fromUs} tree={tree} window={window} stretch={stretch} />
          ))}
          <span className={`bar-label label-${side}`} style={at}>
            {formatDuration(endUs - startUs)}
          </span>
        </>
      )}
    </div>
  );
}

function Stretch(props: {
  readonly tree: TraceTree;
  readonly window: TimeWindow;
  readonly stretch: CriticalStretch;
}): ReactNode {
  const { tree, window, stretch } = props;
  const share = barShare(window, stretch.fromUs - tree.startUs, stretch.toUs - tree.startUs);
  const from = Math.max(0, share.left);
  const to = Math.min(1, share.left + share.width);
  if (to <= from) return null;
  const style = { left: `${from * 100}%`, width: `${(to - from) * 100}%` };
  return <i className="critical" style={style} />;
}

/** Why this span hangs below its parent, and how sure that is. */
function LinkChip({ span }: { span: Span }): ReactNode {
  if (span.link === null) return null;
  if (span.parentId === null) {
    const count = span.link.candidates.length;
    return (
      <span className="evidence is-unsure" title={`no sure parent; ${plural(count, 'candidate')}`}>
        orphan
      </span>
    );
  }
  const evidence = span.link.evidence[0] ?? 'unknown';
  const percent = formatProbability(span.link.probability);
  return (
    <span
      className={`evidence${isSure(span) ? '' : ' is-unsure'}`}
      title={`parent by ${span.link.evidence.join(', ') || 'unknown evidence'}; probability ${percent}`}
    >
      {evidence}
      {span.link.probability < 1 && <b className="num">{percent}</b>}
    </span>
  );
}

function TreeLines({ tree, index }: { tree: TraceTree; index: number }): ReactNode {
  const { passing, elbow, indent } = rowLines(tree, index);
  const x = (level: number): number => level * INDENT_PX + 8.5;
  if (elbow === undefined) return null;
  return (
    <svg className="tree-lines" width={indent * INDENT_PX + 8} height={ROW_PX} aria-hidden="true">
      {passing.map((level) => (
        <path key={level} d={`M${x(level)} 0V${ROW_PX}`} />
      ))}
      <path
        className={elbow.isSure ? 'sure' : 'unsure'}
        d={`M${x(elbow.indent)} 0V${MIDDLE_PX - 0.5}H${x(elbow.indent) + 10}`}
      />
      {elbow.goesOn && <path d={`M${x(elbow.indent)} ${MIDDLE_PX}V${ROW_PX}`} />}
    </svg>
  );
}
