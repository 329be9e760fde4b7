import { type ReactNode, useMemo } from 'react';
import { Link, useLocation, useParams } from 'react-router';
import { ApiFailure } from '../../data/api.ts';
import { useTrace } from '../../data/queries.ts';
import { buildTree } from '../../panels/trace-tree/tree.ts';
import { Frame } from '../../ui/frame.tsx';
import { FailureMessage, Message, Skeleton } from '../../ui/message.tsx';
import { TRACE_SHORTCUTS } from './shortcuts.ts';
import { TraceView } from './trace-view.tsx';

/** Where "back" leads: the list as it was left, else the list. */
function useListAddress(): string {
  const { state }: { state: unknown } = useLocation();
  const isKnown = typeof state === 'object' && state !== null && 'list' in state;
  return isKnown && typeof state.list === 'string' ? state.list : '/traces';
}

/** What happened in one trace, in which order, and who caused whom? */
export function TracePage(): ReactNode {
  const { id = '' } = useParams();
  const trace = useTrace(id);
  const backTo = useListAddress();
  const { data } = trace;
  const tree = useMemo(() => (data === undefined ? undefined : buildTree(data.spans)), [data]);
  const isGone = trace.error instanceof ApiFailure && trace.error.status === 404;
  return (
    <Frame title={`Trace ${id}`} shortcuts={TRACE_SHORTCUTS}>
      {trace.isPending && <Skeleton rows={18} label="Loading the trace" />}
      {(isGone || tree?.spans.length === 0) && (
        <Message title="This trace is not stored">
          <p>
            No span has the id <code>{id}</code>. It may be older than the store keeps rows, or the
            id may be cut short.
          </p>
          <p>
            Next: <Link to={backTo}>look through the list</Link>, or search for a part of the id
            there.
          </p>
        </Message>
      )}
      {trace.isError && !isGone && (
        <FailureMessage
          title="The trace could not be read"
          error={trace.error}
          onRetry={() => void trace.refetch()}
        />
      )}
      {data !== undefined && tree !== undefined && tree.spans.length > 0 && (
        <TraceView key={id} answer={data} tree={tree} backTo={backTo} />
      )}
    </Frame>
  );
}
