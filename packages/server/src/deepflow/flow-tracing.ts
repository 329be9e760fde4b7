import type { Span, TraceAnswer } from '@thalweg/model';

// A trace in the shape of DeepFlow's L7FlowTracing. Names and meanings: its public documentation.

/** Columns that the answer repeats as they are; those that hold numbers are given as numbers. */
const TEXT_COLUMNS = [
  'endpoint',
  'request_type',
  'request_resource',
  'response_exception',
  'x_request_id_0',
  'x_request_id_1',
  'trace_id',
  'span_id',
  'parent_span_id',
  'app_service',
  'app_instance',
  'syscall_trace_id_request',
  'syscall_trace_id_response',
  'flow_id',
] as const;
const NUMBER_COLUMNS = [
  'signal_source',
  'type',
  'l7_protocol',
  'response_status',
  'response_code',
  'request_id',
  'req_tcp_seq',
  'resp_tcp_seq',
  'is_tls',
  'is_async',
] as const;

export function flowTracing(trace: TraceAnswer): { tracing: object[]; services: object[] } {
  const { spans } = trace;
  const indexOf = new Map(spans.map(({ spanId }, index) => [spanId, index]));
  const children = spans.map((): number[] => []);
  spans.forEach(({ parentId }, index) => {
    const parent = parentId === null ? undefined : indexOf.get(parentId);
    if (parent !== undefined) children[parent]?.push(index);
  });
  const selfTimes = spans.map((span, index) =>
    selfTimeUs(
      span,
      (children[index] ?? []).flatMap((child) => spans[child] ?? []),
    ),
  );
  return {
    tracing: spans.map((span, index) => {
      const parent = span.parentId === null ? -1 : (indexOf.get(span.parentId) ?? -1);
      return {
        id: index,
        parent_id: parent,
        childs: children[index] ?? [],
        related_ids: parent < 0 ? [] : [`${parent}-${reasonOf(span)}-${spans[parent]?.spanId}`],
        ...tracingSpan(span, selfTimes[index] ?? 0),
      };
    }),
    services: services(spans, selfTimes),
  };
}

function tracingSpan(span: Span, selfTime: number): object {
  const { fields } = span;
  return {
    _ids: [span.spanId],
    deepflow_span_id: span.spanId,
    deepflow_parent_span_id: span.parentId ?? '',
    set_parent_info:
      span.link === null
        ? ''
        : `${span.link.evidence.join(', ')} (p=${span.link.probability.toFixed(3)})`,
    start_time_us: span.startUs,
    end_time_us: span.endUs,
    duration: span.endUs - span.startUs,
    selftime: selfTime,
    tap_side: span.observationPoint,
    'Enum(tap_side)': span.observationPoint,
    'Enum(l7_protocol)': span.protocol,
    l7_protocol_str: span.protocol,
    process_id: span.pid,
    process_kname: span.processName,
    service_uid: serviceOf(span),
    service_uname: serviceOf(span),
    auto_service: span.service,
    auto_instance: fields['app_instance'] ?? '',
    vtap_id: fields['agent'] ?? '',
    ip: span.observationPoint.startsWith('s') ? fields['ip_1'] : fields['ip_0'],
    ...Object.fromEntries(TEXT_COLUMNS.map((name) => [name, fields[name] ?? ''])),
    ...Object.fromEntries(NUMBER_COLUMNS.map((name) => [name, Number(fields[name] ?? 0)])),
    attribute: Object.fromEntries(
      Object.entries(fields).filter(([name, value]) => name.includes('.') && value !== ''),
    ),
  };
}

/** DeepFlow's words for why two spans are joined. */
function reasonOf({ link }: Span): string {
  const evidence = link?.evidence ?? [];
  if (evidence.includes('wire')) return 'network';
  const words = evidence.map((kind) => (kind === 'shared-id' ? 'xrequestid' : 'syscall'));
  return [...new Set(words)].join(',') || 'app';
}

const serviceOf = ({ service, hostName, pid }: Span): string =>
  service === '' ? `${hostName}-${pid}` : service;

/** What a span took that no child covers: children may overlap, and reach out of it. */
function selfTimeUs(span: Span, children: readonly Span[]): number {
  let covered = 0;
  let reachedUs = span.startUs;
  for (const { startUs, endUs } of [...children].sort((a, b) => a.startUs - b.startUs)) {
    const fromUs = Math.max(startUs, reachedUs);
    const toUs = Math.min(endUs, span.endUs);
    if (toUs <= fromUs) continue;
    covered += toUs - fromUs;
    reachedUs = toUs;
  }
  return span.endUs - span.startUs - covered;
}

function services(spans: readonly Span[], selfTimes: readonly number[]): object[] {
  const sums = new Map<string, number>();
  spans.forEach((span, index) => {
    const name = serviceOf(span);
    sums.set(name, (sums.get(name) ?? 0) + (selfTimes[index] ?? 0));
  });
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0);
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .map(([name, duration]) => ({
      service_uid: name,
      service_uname: name,
      duration,
      duration_ratio: total === 0 ? '0.00' : ((100 * duration) / total).toFixed(2),
    }));
}
