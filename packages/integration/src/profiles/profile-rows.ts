import { inProcessProfile, inProcessStack, STACK_REPEAT_HOURS } from '@thalweg/model';
import type { OpenRows } from '../buffer/open-rows.ts';
import { timeWindow } from '../buffer/telemetry-buffer.ts';
import type { ReceiverContext } from '../receivers.ts';
import type { ProfileUpload, StackValue } from './profile-upload.ts';
import type { StackBook, StackEntry } from './stack-book.ts';

/** Labels that have a column. Sources: Pyroscope's and OpenTelemetry's span profiles. */
const TRACE_LABELS = new Set(['trace_id', 'traceId', 'trace id']);
const SPAN_LABELS = new Set(['profile_id', 'span_id', 'spanId', 'span id']);
const SPAN_NAME_LABELS = new Set(['span_name', 'span name']);
const INSTANCE_LABELS = ['instance', 'service_instance_id', 'pod', 'hostname', 'host'];
const MS_PER_HOUR = 3_600_000;

export interface ProfileRows {
  readonly rows: number;
  readonly outOfTime: number;
  /** Stacks whose text is among the rows: named, once these are kept. */
  readonly stacks: readonly StackEntry[];
}

/** Writes an upload as rows of `profile.in_process`, and the stacks that the store may not have. */
export function writeProfileRows(
  upload: ProfileUpload,
  open: OpenRows,
  context: ReceiverContext,
  book: StackBook,
): ProfileRows {
  const nowMs = context.now();
  const timeS = Math.floor(upload.untilUs / 1e6);
  const window = timeWindow(context.hoursOf(inProcessProfile), nowMs);
  if (timeS < window.firstS || timeS > window.lastS) {
    return { rows: 0, outOfTime: upload.values.length, stacks: [] };
  }
  const stacks = new Set<StackEntry>();
  const staleMs = nowMs - STACK_REPEAT_HOURS * MS_PER_HOUR;
  for (const value of upload.values) {
    const entry = book.entryOf(value.stack);
    if (entry.namedMs < staleMs && !stacks.has(entry)) {
      stacks.add(entry);
      open.of(inProcessStack).add((to) => {
        to.time.push(Math.floor(nowMs / 1e3));
        to.stack_id.pushHalves(entry.low, entry.high);
        to.profile_location_str.push(value.stack);
      });
    }
    writeRow(upload, value, entry, open, context);
  }
  return { rows: upload.values.length, outOfTime: 0, stacks: [...stacks] };
}

function writeRow(
  upload: ProfileUpload,
  { event, unit, value, labels }: StackValue,
  stack: StackEntry,
  open: OpenRows,
  { ids, agent, now }: ReceiverContext,
): void {
  const { app, labels: ofUpload, fromUs, untilUs } = upload;
  const find = (names: ReadonlySet<string>): string =>
    labels.find(([name]) => names.has(name))?.[1] ?? '';
  const instance = INSTANCE_LABELS.map((name) => labelOf(ofUpload, name)).find((v) => v !== '');
  const rest = [...ofUpload, ...labels].filter(([name]) => !hasColumn(name));
  open.of(inProcessProfile).add((to) => {
    ids.pushTo(to._id);
    to.time.push(Math.floor(untilUs / 1e6));
    to.profile_create_timestamp.push(fromUs);
    to.profile_in_timestamp.push(now() * 1e3);
    to.profile_duration.pushNumber(Math.max(0, untilUs - fromUs));
    to.agent.push(agent);
    to.profile_event_type.push(event);
    to.profile_value.pushNumber(Math.min(Math.round(value), Number.MAX_SAFE_INTEGER));
    to.profile_value_unit.push(unit);
    to.profile_language_type.push(upload.language);
    to.stack_id.pushHalves(stack.low, stack.high);
    to.app_service.push(app);
    to.app_instance.push(instance ?? '');
    to.process_id.push(Number(labelOf(ofUpload, 'pid')) || 0);
    to.trace_id.push(find(TRACE_LABELS));
    to.profile_id.push(find(SPAN_LABELS));
    to.span_name.push(find(SPAN_NAME_LABELS));
    to.tag_names.push(rest.map(([name]) => name));
    to.tag_values.push(rest.map(([, text]) => text));
  });
}

/** Names that begin with two underscores are a client's own business. */
function hasColumn(name: string): boolean {
  return (
    name.startsWith('__') ||
    name === 'service_name' ||
    TRACE_LABELS.has(name) ||
    SPAN_LABELS.has(name) ||
    SPAN_NAME_LABELS.has(name)
  );
}

function labelOf(labels: ProfileUpload['labels'], wanted: string): string {
  return labels.find(([name]) => name === wanted)?.[1] ?? '';
}
