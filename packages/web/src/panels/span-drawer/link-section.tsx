import { type Span, titleOf } from '@thalweg/model';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { formatProbability } from '../../ui/format.ts';
import { isSure, type TraceTree } from '../trace-tree/tree.ts';
import { CalibrationLine } from './calibration-line.tsx';

interface LinkSectionProps {
  readonly tree: TraceTree;
  readonly index: number;
  readonly span: Span;
  onSelect(index: number): void;
}

/** Why the span hangs where it does, how sure that is, and where else it may belong. */
export function LinkSection(props: LinkSectionProps): ReactNode {
  const { tree, span } = props;
  return (
    <section>
      <h3>Link to the parent</h3>
      {span.link === null ? (
        <p className="soft">A root: nothing that was seen caused this request.</p>
      ) : (
        <LinkFacts {...props} />
      )}
      <CalibrationLine service={span.service} endUs={tree.endUs} />
    </section>
  );
}

function LinkFacts(props: LinkSectionProps): ReactNode {
  const { tree, index, span, onSelect } = props;
  const parent = tree.parent[index] ?? -1;
  const above = tree.spans[parent];
  return (
    <>
      {above === undefined ? (
        <p className="soft">An orphan: no request is likely enough to have caused it.</p>
      ) : (
        <>
          <Certainty span={span} />
          <button type="button" className="span-link" onClick={() => onSelect(parent)}>
            ↑ {nameOf(above)}
          </button>
        </>
      )}
      <Candidates {...props} isOrphan={above === undefined} />
    </>
  );
}

function Certainty({ span }: { span: Span }): ReactNode {
  const { probability = 0, evidence = [] } = span.link ?? {};
  const unsure = isSure(span) ? '' : ' is-unsure';
  return (
    <p className="link-line">
      <span className={`evidence-meter${unsure}`} aria-hidden="true">
        <i style={{ width: `${probability * 100}%` }} />
      </span>
      <b className="num">{formatProbability(probability)}</b>
      {evidence.map((kind) => (
        <span key={kind} className={`evidence${unsure}`}>
          {kind}
        </span>
      ))}
    </p>
  );
}

/** One that is in this trace is selected; another one is a trace of its own, by its wire id. */
function Candidates(props: LinkSectionProps & { readonly isOrphan: boolean }): ReactNode {
  const { tree, span, isOrphan, onSelect } = props;
  const candidates = span.link?.candidates ?? [];
  if (candidates.length === 0) {
    return isOrphan ? <p className="soft">Nothing speaks for any of the open requests.</p> : null;
  }
  return (
    <>
      <h4>{isOrphan ? 'Possible parents' : 'Other possible parents'}</h4>
      <ul className="candidates">
        {candidates.map(({ wireId, probability }) => {
          const at = serverOf(tree, wireId);
          const other = tree.spans[at];
          return (
            <li key={wireId} className="candidate">
              <span className="evidence-meter is-unsure" aria-hidden="true">
                <i style={{ width: `${probability * 100}%` }} />
              </span>
              <b className="num">{formatProbability(probability)}</b>
              {other === undefined ? (
                <Link className="span-link" to={`/traces/${wireId}`} title="Open its trace">
                  in another trace ↗
                </Link>
              ) : (
                <button type="button" className="span-link" onClick={() => onSelect(at)}>
                  {nameOf(other)}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** Both ends of an exchange share its wire id: what caused a call is the end that was asked. */
function serverOf(tree: TraceTree, wireId: string): number {
  const isServer = (span: Span): boolean => span.observationPoint.startsWith('s');
  const at = tree.spans.findIndex((span) => span.wireId === wireId && isServer(span));
  return at >= 0 ? at : tree.spans.findIndex((span) => span.wireId === wireId);
}

function nameOf(span: Span): string {
  return `${span.service} ${titleOf(span)}`;
}
