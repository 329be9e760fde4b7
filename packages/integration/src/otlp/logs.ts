import { applicationLog, type SinksOf } from '@thalweg/model';
import {
  anyValueJson,
  createAnyView,
  createLogRecord,
  doubleText,
  intText,
  microsOf,
  type NanoTime,
  nanosOf,
  type ProtoCursor,
  readAnyValue,
  readLogRecord,
  readRecords,
} from '@thalweg/wire';
import type { OpenRows } from '../buffer/open-rows.ts';
import { timeWindow } from '../buffer/telemetry-buffer.ts';
import { createAttributes, type Extra, type TypeLetter } from './attributes.ts';
import { decodeText } from './decode-text.ts';
import { type Outcome, TIME_REASON } from './outcome.ts';
import { type ResourceFacts, readResource, scopeJson } from './resource.ts';
import type { TraceWriterOptions } from './traces.ts';

type LogColumns = SinksOf<typeof applicationLog.columns>;

/** Writes the records of an ExportLogsServiceRequest as rows of `application_log.log`. */
export type LogWriter = (bytes: Uint8Array, rows: OpenRows) => Outcome;

const SEVERITY_MAX = 24;
const NO_EXTRAS: readonly Extra[] = [];

export function createLogWriter(options: TraceWriterOptions): LogWriter {
  const { ids, agent, seed, now, hoursOf } = options;
  const record = createLogRecord();
  const attributes = createAttributes(seed);
  const view = createAnyView();
  let cursor: ProtoCursor;
  let resource: ResourceFacts;
  let scope = '';
  let time: NanoTime = record.time;

  function writeBody(to: LogColumns): void {
    readAnyValue(cursor, record.body.from, record.body.to, view);
    const { letter, text } = bodyOf();
    if (view.kind === 'text') to.body.pushUtf8(cursor.bytes, view.from, view.to);
    else to.body.push(text);
    to.body_type.push(letter);
  }

  function bodyOf(): { letter: TypeLetter; text: string } {
    switch (view.kind) {
      case 'empty':
        return { letter: 'e', text: '' };
      case 'text':
        return { letter: 's', text: '' };
      case 'int':
        return { letter: 'i', text: intText(view) };
      case 'double':
        return { letter: 'd', text: doubleText(view.number) };
      case 'bool':
        return { letter: 'b', text: view.number === 1 ? 'true' : 'false' };
      case 'bytes':
      case 'array':
      case 'map':
        return {
          letter: 'j',
          text: anyValueJson(cursor, record.body.from, record.body.to, decodeText),
        };
    }
  }

  function writeRow(to: LogColumns): void {
    const { bytes } = cursor;
    const timeUs = microsOf(time);
    ids.pushTo(to._id);
    to.time.push(Math.floor(timeUs / 1e6));
    to.timestamp.push(timeUs);
    to.timestamp_nanos.push(nanosOf(time));
    to.observed_timestamp.push(microsOf(record.observedTime));
    to._type.push('user');
    to.receiver.push('otlp');
    to.agent.push(agent);
    to.severity_number.push(record.severityNumber <= SEVERITY_MAX ? record.severityNumber : 0);
    to.severity_text.push(decodeText(bytes, record.severityText.from, record.severityText.to));
    to.event_name.push(decodeText(bytes, record.eventName.from, record.eventName.to));
    writeBody(to);
    to.app_service.push(resource.service);
    to.app_instance.push(resource.instance);
    to.host.push(resource.host);
    to.container_id.push(resource.containerId);
    to.trace_id.pushHex(bytes, record.traceId.from, record.traceId.to);
    to.span_id.pushHex(bytes, record.spanId.from, record.spanId.to);
    to.trace_flags.push(record.flags & 0xff);
    to.x_request_id.push('');
    attributes.open(cursor, record.attributes);
    attributes.writeTo(to, NO_EXTRAS, record.droppedAttributes);
    to.resource_attributes.push(resource.json);
    to.scope.push(scope);
  }

  return (bytes, rows) => {
    const nowMs = now();
    const { firstS, lastS } = timeWindow(hoursOf(applicationLog), nowMs);
    const arrival = timeOf(nowMs);
    let kept = 0;
    let rejected = 0;
    const malformed = readRecords(bytes, {
      resource: (list, at) => {
        cursor = at;
        resource = readResource(list, at);
      },
      scope: (found, at) => {
        scope = scopeJson(found, at);
      },
      item: (at) => {
        readLogRecord(at, record);
        if (at.fault !== '') return;
        // A source without a clock: when it was observed, else when it arrived.
        time = [record.time, record.observedTime].find(isSet) ?? arrival;
        const timeS = microsOf(time) / 1e6;
        if (timeS < firstS || timeS > lastS) {
          rejected += 1;
          return;
        }
        rows.of(applicationLog).add(writeRow);
        kept += 1;
      },
    });
    return { malformed, rows: kept, rejected, reason: rejected === 0 ? '' : TIME_REASON };
  };
}

const isSet = ({ low, high }: NanoTime): boolean => low !== 0 || high !== 0;

function timeOf(ms: number): NanoTime {
  const nanos = BigInt(Math.floor(ms)) * 1_000_000n;
  return { low: Number(nanos & 0xffffffffn), high: Number(nanos >> 32n) };
}
