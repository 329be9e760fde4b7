import type { Span } from '@thalweg/model';
import type { ReactNode } from 'react';
import { formatDuration, plural } from '../../ui/format.ts';
import type { Ladder, LadderLeg, LadderPoint } from './ladder.ts';
import './hop-ladder.css';

interface HopLadderProps {
  readonly ladder: Ladder;
  /** The chosen span, and its exchange. */
  readonly index: number;
  readonly wireId: string;
  onSelect(index: number): void;
}

/** The way of a request from point to point, what each leg took, and what TCP suffered there. */
export function HopLadder({ ladder, index, wireId, onSelect }: HopLadderProps): ReactNode {
  return (
    <ol className="ladder">
      {ladder.points.map((point, at) => (
        <Point
          key={point.span.spanId}
          point={point}
          leg={ladder.legs[at]}
          isChosen={point.index === index}
          isOfExchange={point.span.wireId === wireId}
          onSelect={onSelect}
        />
      ))}
    </ol>
  );
}

interface PointProps {
  readonly point: LadderPoint;
  /** To the next point. */
  readonly leg: LadderLeg | undefined;
  readonly isChosen: boolean;
  readonly isOfExchange: boolean;
  onSelect(index: number): void;
}

function Point({ point, leg, isChosen, isOfExchange, onSelect }: PointProps): ReactNode {
  const { span, retransmissions, zeroWindows } = point;
  return (
    <li className={isOfExchange ? 'is-of-exchange' : ''}>
      <button
        type="button"
        aria-current={isChosen ? 'true' : undefined}
        onClick={() => onSelect(point.index)}
      >
        <abbr className={`signal signal-${span.signal}`}>{span.signal}</abbr>
        <span className="point">{span.observationPoint}</span>
        <span className="ladder-place" title={placeOf(span)}>
          {placeOf(span)}
        </span>
        {retransmissions > 0 && (
          <span className="badge badge-warn" title="segments sent again while the request passed">
            {retransmissions} retrans
          </span>
        )}
        {zeroWindows > 0 && (
          <span className="badge badge-warn" title="times that an end could not take more bytes">
            {zeroWindows} zero win
          </span>
        )}
        <span className="num">{formatDuration(span.endUs - span.startUs)}</span>
      </button>
      {leg !== undefined && <Leg leg={leg} />}
    </li>
  );
}

function placeOf({ signal, service, hostName, fields }: Span): string {
  return signal === 'N' ? `${fields['capture_nic_name'] ?? ''} · ${hostName}` : service;
}

function Leg({ leg }: { readonly leg: LadderLeg }): ReactNode {
  if (leg.kind === 'wire') {
    return (
      <span className="ladder-leg num">
        <Ways leg={leg} />
      </span>
    );
  }
  return (
    <div className="ladder-process">
      <b>time in {leg.service === '' ? 'the service' : leg.service}</b>
      <span className="num" title="from the system call that read to the one that wrote">
        <Ways leg={leg} />
      </span>
      {leg.atInterfaces !== undefined && (
        <span className="num soft" title="between its interfaces: with the kernel's part">
          ↓ {legText(leg.atInterfaces.requestUs)} ↑ {legText(leg.atInterfaces.responseUs)} on the
          wire
        </span>
      )}
    </div>
  );
}

function Ways({ leg: { requestUs, responseUs, bothUs } }: { readonly leg: LadderLeg }): ReactNode {
  if (requestUs === undefined || responseUs === undefined) {
    return (
      <span title="two hosts' clocks do not compare: only the sum is known">
        ⇅ {legText(bothUs)}
      </span>
    );
  }
  return (
    <>
      <span title={wayTitle('request', requestUs)}>↓ {legText(requestUs)}</span>{' '}
      <span title={wayTitle('response', responseUs)}>↑ {legText(responseUs)}</span>
    </>
  );
}

/** A process's time is taken when its system call returns: bytes may have passed a point by then. */
function legText(us: number): string {
  return us < 0 ? '< 0' : formatDuration(us);
}

function wayTitle(what: string, us: number): string {
  if (us >= 0) return `the ${what} took ${formatDuration(us)} from one point to the other`;
  return `the ${what} was there ${formatDuration(-us)} before the system call returned (${plural(Math.round(-us), 'µs')})`;
}
