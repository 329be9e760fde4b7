import { createProtoWriter, type ProtoWriter, snappyEncode } from '@thalweg/wire';

/** A request that is well-formed and far too much. */
export interface EndlessBody {
  readonly name: string;
  readonly path: string;
  /** Made when it is sent: most are large. */
  bytes(): Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

const MILLION = 1e6;
const JSON_TYPE = { 'content-type': 'application/json' };
const PROTOBUF_TYPE = { 'content-type': 'application/x-protobuf' };
const SNAPPY = { ...PROTOBUF_TYPE, 'content-encoding': 'snappy' };
const TEXT_TYPE = { 'content-type': 'text/plain' };

export function endlessBodies(nowMs: number): EndlessBody[] {
  return [...endlessMetrics(nowMs), ...endlessSpans(nowMs), ...endlessLogs()];
}

function endlessMetrics(nowMs: number): EndlessBody[] {
  const seconds = Math.floor(nowMs / 1e3);
  return [
    {
      name: 'a series of a million labels',
      path: '/api/v1/write',
      bytes: () => snappyEncode(writeRequest([range(MILLION)], nowMs)),
      headers: SNAPPY,
    },
    {
      name: 'a million series',
      path: '/api/v1/write',
      bytes: () =>
        snappyEncode(
          writeRequest(
            range(MILLION).map((at) => [at]),
            nowMs,
          ),
        ),
      headers: SNAPPY,
    },
    {
      name: 'a data point of a million attributes',
      path: '/v1/metrics',
      bytes: () => metricRequest(MILLION, nowMs),
      headers: PROTOBUF_TYPE,
    },
    {
      name: 'a line of a million tags',
      path: '/write',
      bytes: () => Buffer.from(`m,${listed((at) => `t${at}=v`)} f=1 ${seconds}000000000\n`),
      headers: TEXT_TYPE,
    },
    {
      name: 'a line of a million fields',
      path: '/write',
      bytes: () => Buffer.from(`m ${listed((at) => `f${at}=1`)} ${seconds}000000000\n`),
      headers: TEXT_TYPE,
    },
  ];
}

function endlessSpans(nowMs: number): EndlessBody[] {
  const tags = () => `{${listed((at) => `"t${at}":"v"`)}}`;
  const id = '"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","id":"00f067aa0ba902b7"';
  const times = `"timestamp":${nowMs}000,"duration":1`;
  const pairs = () => `[${listed((at) => `{"key":"t${at}","value":"v"}`)}]`;
  return [
    {
      name: 'a span of a million attributes',
      path: '/v1/traces',
      bytes: () =>
        traceRequest(nowMs, (span) => {
          for (let at = 0; at < MILLION; at += 1) attribute(span, 9, `a${at}`);
        }),
      headers: PROTOBUF_TYPE,
    },
    {
      name: 'an attribute a hundred thousand deep',
      path: '/v1/traces',
      bytes: () => deepSpan(nowMs, 1e5),
      headers: PROTOBUF_TYPE,
    },
    {
      name: 'a span of a million tags',
      path: '/api/v2/spans',
      bytes: () => Buffer.from(`[{${id},${times},"tags":${tags()}}]`),
      headers: JSON_TYPE,
    },
    {
      name: 'a segment of a million tags',
      path: '/v3/segments',
      bytes: () =>
        Buffer.from(
          `[{"traceId":"a","traceSegmentId":"b","service":"s","spans":[{"spanId":0,"parentSpanId":-1,` +
            `"spanType":"Entry","startTime":${nowMs},"endTime":${nowMs},"tags":${pairs()}}]}]`,
        ),
      headers: JSON_TYPE,
    },
  ];
}

function endlessLogs(): EndlessBody[] {
  return [
    {
      name: 'a record of a million members',
      path: '/api/v1/log',
      bytes: () => Buffer.from(`{${listed((at) => `"k${at}":"v"`)}}`),
      headers: JSON_TYPE,
    },
    {
      name: 'a stream of a million labels',
      path: '/loki/api/v1/push',
      bytes: () =>
        Buffer.from(`{"streams":[{"stream":{${listed((at) => `"k${at}":"v"`)}},"values":[]}]}`),
      headers: JSON_TYPE,
    },
    {
      name: 'a stack of a million frames',
      path: '/ingest?name=a.cpu&format=folded',
      bytes: () => Buffer.from(`${listed((at) => `f${at}`, ';')} 1\n`),
      headers: TEXT_TYPE,
    },
    {
      name: 'a million stacks',
      path: '/ingest?name=a.cpu&format=folded',
      bytes: () => Buffer.from(listed((at) => `main;f${at} 1`, '\n')),
      headers: TEXT_TYPE,
    },
  ];
}

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

function listed(item: (at: number) => string, between = ','): string {
  return range(MILLION).map(item).join(between);
}

/** A sample of each series; `series` has the numbers of its labels. */
function writeRequest(series: readonly (readonly number[])[], nowMs: number): Uint8Array {
  const writer = createProtoWriter();
  const label = (name: string, value: string): void =>
    writer.messageField(1, () => {
      writer.textField(1, name);
      writer.textField(2, value);
    });
  for (const labels of series) {
    writer.messageField(1, () => {
      label('__name__', 'endless');
      for (const at of labels) label(labels.length === 1 ? 'at' : `l${at}`, `${at}`);
      writer.messageField(2, () => writer.signedField(2, nowMs));
    });
  }
  return writer.finish();
}

function attribute(writer: ProtoWriter, field: number, name: string): void {
  writer.messageField(field, () => {
    writer.textField(1, name);
    writer.messageField(2, () => writer.textField(1, 'v'));
  });
}

function traceRequest(nowMs: number, rest: (span: ProtoWriter) => void): Uint8Array {
  const writer = createProtoWriter();
  const timeNs = BigInt(nowMs) * 1_000_000n;
  writer.messageField(1, () =>
    writer.messageField(2, () =>
      writer.messageField(2, () => {
        writer.bytesField(1, new Uint8Array(16).fill(1));
        writer.bytesField(2, new Uint8Array(8).fill(1));
        writer.textField(5, 'endless');
        writer.fixed64Field(7, timeNs);
        writer.fixed64Field(8, timeNs);
        rest(writer);
      }),
    ),
  );
  return writer.finish();
}

/** A gauge with one point. */
function metricRequest(attributes: number, nowMs: number): Uint8Array {
  const writer = createProtoWriter();
  writer.messageField(1, () =>
    writer.messageField(2, () =>
      writer.messageField(2, () => {
        writer.textField(1, 'endless_otlp');
        writer.messageField(5, () =>
          writer.messageField(1, () => {
            writer.fixed64Field(3, BigInt(nowMs) * 1_000_000n);
            writer.doubleField(4, 1);
            for (let at = 0; at < attributes; at += 1) attribute(writer, 7, `a${at}`);
          }),
        );
      }),
    ),
  );
  return writer.finish();
}

/** A request for a span whose one attribute is nested so deep. */
export function deepSpan(nowMs: number, depth: number): Uint8Array {
  return traceRequest(nowMs, (span) =>
    span.messageField(9, () => {
      span.textField(1, 'deep');
      span.bytesField(2, nestedValue(depth));
    }),
  );
}

/** An AnyValue: an array in an array and so on. Written from its end, which takes no recursion. */
function nestedValue(depth: number): Uint8Array {
  const bytes = new Uint8Array(depth * 12);
  let from = bytes.length;
  const prepend = (tag: number): void => {
    const length = bytes.length - from;
    const digits: number[] = [];
    let rest = length;
    while (rest >= 0x80) {
      digits.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    digits.push(rest);
    from -= digits.length + 1;
    bytes.set([tag, ...digits], from);
  };
  for (let at = 0; at < depth; at += 1) {
    prepend(0x0a);
    prepend(0x2a);
  }
  return bytes.slice(from);
}
