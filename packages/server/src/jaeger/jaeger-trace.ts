import type { Span, TraceAnswer } from '@thalweg/model';
import type { Value } from '../traceql/syntax.ts';
import { attributesOf, spanHexId, spanKind, spanName, traceHexId } from '../traceql/trace-view.ts';

/** A trace in the JSON of Jaeger's query service. Source: jaegertracing/jaeger, "model/json". */
export function jaegerTrace(trace: TraceAnswer): object {
  const traceID = traceHexId(trace);
  const processes = new Map<string, { id: string; process: object }>();
  const spans = trace.spans.map((span) => {
    const { resource, span: own } = attributesOf(span);
    const key = JSON.stringify([...resource]);
    const known = processes.get(key);
    const id = known?.id ?? `p${processes.size + 1}`;
    if (known === undefined) processes.set(key, { id, process: jaegerProcess(span, resource) });
    return {
      traceID,
      spanID: spanHexId(trace, span.spanId),
      operationName: spanName(span),
      references:
        span.parentId === null
          ? []
          : [{ refType: 'CHILD_OF', traceID, spanID: spanHexId(trace, span.parentId) }],
      startTime: span.startUs,
      duration: span.endUs - span.startUs,
      tags: [
        tag('span.kind', spanKind(span)),
        ...(span.isError ? [tag('error', true)] : []),
        ...tags(own),
      ],
      logs: [],
      processID: id,
      warnings: span.isLossy ? ['events of this connection were lost before this span'] : null,
    };
  });
  return {
    traceID,
    spans,
    processes: Object.fromEntries([...processes.values()].map(({ id, process }) => [id, process])),
    warnings: trace.isTruncated ? ['the trace has more spans than are shown'] : null,
  };
}

function jaegerProcess(span: Span, resource: ReadonlyMap<string, Value>): object {
  const rest = new Map(resource);
  rest.delete('service.name');
  // An interface is of no service: its host is the nearest to one.
  return { serviceName: span.service === '' ? span.hostName : span.service, tags: tags(rest) };
}

function tags(attributes: ReadonlyMap<string, Value>): object[] {
  return [...attributes].flatMap(([key, value]) => (value === undefined ? [] : [tag(key, value)]));
}

function tag(key: string, value: string | number | boolean): object {
  if (typeof value === 'string') return { key, type: 'string', value };
  if (typeof value === 'boolean') return { key, type: 'bool', value };
  return { key, type: Number.isSafeInteger(value) ? 'int64' : 'float64', value };
}
