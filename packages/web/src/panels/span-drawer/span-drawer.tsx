import type { Span } from '@thalweg/model';
import { type ReactNode, useMemo, useState } from 'react';
import { CopyButton } from '../../ui/copy-button.tsx';
import { formatDateTime, formatDuration } from '../../ui/format.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { HopLadder } from '../hop-ladder/hop-ladder.tsx';
import { ladderOf } from '../hop-ladder/ladder.ts';
import type { TraceTree } from '../trace-tree/tree.ts';
import { filterFields } from './geometry.ts';
import { LinkSection } from './link-section.tsx';

interface SpanDrawerProps {
  readonly tree: TraceTree;
  readonly index: number;
  readonly color: string;
  onSelect(index: number): void;
  onClose(): void;
}

/** Everything about one span: the link to its parent, who saw it, and all columns of its row. */
export function SpanDrawer({ tree, index, color, onSelect, onClose }: SpanDrawerProps): ReactNode {
  const span = tree.spans[index];
  if (span === undefined) return null;
  return (
    <aside className="drawer" aria-label="Span">
      <header>
        <i className="swatch" style={{ background: color }} />
        <h2>{span.service}</h2>
        <StatusBadge {...span} />
        <span className="spring" />
        <button type="button" className="icon-button" aria-label="Close (Esc)" onClick={onClose}>
          ✕
        </button>
      </header>
      <div className="drawer-body">
        <p className="drawer-request">
          <b>{span.method}</b> <span className="soft">{span.host}</span>
          {span.path}
        </p>
        <Facts span={span} tree={tree} index={index} />
        <LinkSection tree={tree} index={index} span={span} onSelect={onSelect} />
        <Hops tree={tree} index={index} span={span} onSelect={onSelect} />
        <Fields fields={span.fields} />
      </div>
    </aside>
  );
}

function Facts({ span, tree, index }: { span: Span; tree: TraceTree; index: number }): ReactNode {
  const facts: readonly (readonly [string, string])[] = [
    ['Duration', formatDuration(span.endUs - span.startUs)],
    ['Self time', formatDuration(tree.selfUs[index] ?? 0)],
    ['Starts at', `+${formatDuration(span.startUs - tree.startUs)}`],
    ['Start', formatDateTime(span.startUs)],
    ['Clock', clockText(span.clock)],
    span.signal === 'N'
      ? ['Interface', span.fields['capture_nic_name'] ?? '']
      : ['Process', span.pid === 0 ? '' : `${span.processName} (${span.pid})`],
    ['Host', span.hostName],
    ['Seen at', `${span.observationPoint} · ${span.protocol}`],
  ];
  return (
    <dl className="facts">
      {facts.map(
        ([name, value]) =>
          value !== '' && (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="num">{value}</dd>
            </div>
          ),
      )}
      {span.isLossy && (
        <p className="note note-warn">events of this connection were lost: times may be off</p>
      )}
    </dl>
  );
}

/** What was taken off its times, since its host's clock is ahead of the trace's first one. */
function clockText(clock: Span['clock']): string {
  if (clock === undefined) return '';
  const { offsetUs, errorUs } = clock;
  const way = offsetUs > 0 ? 'ahead' : 'behind';
  return `${formatDuration(Math.abs(offsetUs))} ${way}, ± ${formatDuration(errorUs)}: corrected`;
}

interface SectionProps {
  readonly tree: TraceTree;
  readonly span: Span;
  onSelect(index: number): void;
}

/** Nothing where only SDKs saw the request: they saw no bytes. */
function Hops({ tree, index, span, onSelect }: SectionProps & { index: number }): ReactNode {
  const ladder = useMemo(() => ladderOf(tree, index), [tree, index]);
  if (ladder.points.length === 0) return null;
  return (
    <section>
      <h3>
        The way of the request
        <CopyButton text={span.wireId} label="Copy the wire id" />
      </h3>
      <p className="soft">↓ its first byte, ↑ the answer's last, from point to point</p>
      <HopLadder ladder={ladder} index={index} wireId={span.wireId} onSelect={onSelect} />
    </section>
  );
}

function Fields({ fields }: { fields: Span['fields'] }): ReactNode {
  const [text, setText] = useState('');
  const shown = useMemo(() => filterFields(fields, text), [fields, text]);
  return (
    <section>
      <h3>
        Fields
        <CopyButton text={JSON.stringify(fields, undefined, 2)} label="Copy all fields as JSON" />
      </h3>
      <input
        type="search"
        className="field-filter"
        placeholder="Filter the fields"
        aria-label="Filter the fields"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      {shown.length === 0 && <p className="soft">No field holds “{text}”.</p>}
      <dl className="fields">
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value}
              <CopyButton text={value} label={`Copy ${name}`} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
