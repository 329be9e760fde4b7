import type { TraceAnswer } from '@thalweg/model';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { TraceTree } from '../../panels/trace-tree/tree.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { formatCount, formatDateTime, formatDuration, plural } from '../../ui/format.ts';

interface TraceHeaderProps {
  readonly answer: TraceAnswer;
  readonly tree: TraceTree;
  readonly services: number;
  readonly backTo: string;
}

/** Expected wrong links with two digits: 0.3 of 41 is a fact, 0 would be a claim. */
function formatExpected(value: number): string {
  if (value === 0) return '0';
  return value < 0.01 ? '< 0.01' : String(Number(value.toPrecision(2)));
}

/** What the trace is, and what to hold against it. */
export function TraceHeader({ answer, tree, services, backTo }: TraceHeaderProps): ReactNode {
  const root = tree.spans[0];
  const links = tree.spans.filter((span) => span.link !== null).length;
  const lossy = tree.spans.filter((span) => span.isLossy).length;
  const errors = tree.spans.filter((span) => span.isError).length;
  const facts: readonly (readonly [string, string, string?])[] = [
    ['Start', formatDateTime(tree.startUs)],
    ['Duration', formatDuration(tree.endUs - tree.startUs)],
    ['Spans', formatCount(tree.spans.length)],
    ['Services', formatCount(services)],
    ['Errors', formatCount(errors), errors > 0 ? 'tone-error' : ''],
    [
      'Expected wrong links',
      `${formatExpected(answer.expectedWrongLinks)} of ${formatCount(links)}`,
      answer.expectedWrongLinks >= 0.5 ? 'tone-warn' : '',
    ],
  ];
  return (
    <header className="trace-header">
      <div className="trace-title">
        <Link to={backTo} className="text-button" title="Back to the list (u)">
          ‹ Traces
        </Link>
        <h1>
          {root?.service} <span className="method">{root?.method}</span>{' '}
          <span className="trace-path">{root?.path}</span>
        </h1>
        <span className="trace-id">
          <code>{answer.traceId}</code>
          <CopyButton text={answer.traceId} label="Copy the trace id" />
        </span>
      </div>
      <dl className="trace-facts">
        {facts.map(([name, value, tone]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className={`num ${tone ?? ''}`}>{value}</dd>
          </div>
        ))}
        {answer.isTruncated && (
          <p className="note note-warn" role="status">
            more spans exist: the first {formatCount(tree.spans.length)} are shown
          </p>
        )}
        {lossy > 0 && (
          <p className="note note-warn" role="status">
            {plural(lossy, 'span')} of connections with lost events
          </p>
        )}
      </dl>
    </header>
  );
}
