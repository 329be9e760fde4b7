import { applicationLog } from '@thalweg/model';
import type { LogLevel, LogRecord } from '@thalweg/wire';
import type { OpenRows } from '../buffer/open-rows.ts';
import { timeWindow } from '../buffer/telemetry-buffer.ts';
import type { ReceiverContext } from '../receivers.ts';

/** OpenTelemetry's first number of each band. Source: "Logs Data Model", SeverityNumber. */
const SEVERITIES: Readonly<Record<LogLevel, number>> = {
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  ERROR: 17,
  FATAL: 21,
};

export interface LogRows {
  readonly rows: number;
  /** Records out of the time that is kept. */
  readonly outOfTime: number;
}

/** Writes records as rows of `application_log.log`. One without a time happened when it came in. */
export function writeLogRows(
  records: readonly LogRecord[],
  open: OpenRows,
  context: ReceiverContext,
  receiver: string,
): LogRows {
  const nowUs = context.now() * 1e3;
  const window = timeWindow(context.hoursOf(applicationLog), context.now());
  let outOfTime = 0;
  for (const record of records) {
    const timeUs = record.timeUs ?? nowUs;
    const timeS = Math.floor(timeUs / 1e6);
    if (timeS < window.firstS || timeS > window.lastS) {
      outOfTime += 1;
      continue;
    }
    writeRow(record, timeUs, nowUs, open, context, receiver);
  }
  return { rows: records.length - outOfTime, outOfTime };
}

function writeRow(
  record: LogRecord,
  timeUs: number,
  nowUs: number,
  open: OpenRows,
  { ids, agent }: ReceiverContext,
  receiver: string,
): void {
  const { attributes, metrics, level } = record;
  open.of(applicationLog).add((to) => {
    ids.pushTo(to._id);
    to.time.push(Math.floor(timeUs / 1e6));
    to.timestamp.push(timeUs);
    to.timestamp_nanos.push(0);
    to.observed_timestamp.push(nowUs);
    to._type.push(record.type);
    to.receiver.push(receiver);
    to.agent.push(agent);
    to.severity_number.push(level === undefined ? 0 : SEVERITIES[level]);
    to.severity_text.push(level ?? '');
    to.event_name.push('');
    to.body.push(record.body);
    to.body_type.push('s');
    to.app_service.push(record.service);
    to.app_instance.push(record.instance);
    to.host.push('');
    to.container_id.push('');
    to.trace_id.push(record.traceId);
    to.span_id.push(record.spanId);
    to.trace_flags.push(0);
    to.x_request_id.push(record.requestId);
    to.attribute_names.push([...attributes, ...metrics].map(([name]) => name));
    to.attribute_values.push([...attributes, ...metrics].map(([, value]) => String(value)));
    to.attribute_types.push('s'.repeat(attributes.length) + 'd'.repeat(metrics.length));
    to.resource_attributes.push('');
    to.scope.push('');
  });
}
