import { createProtoWriter, snappyEncode } from '@thalweg/wire';

export interface WrittenSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [timeMs: number, value: number])[];
}

/** A body of remote write 1.0. Labels are sorted, as the protocol wants. */
export function writeRequest(series: readonly WrittenSeries[]): Uint8Array<ArrayBuffer> {
  const writer = createProtoWriter();
  const halves = new Uint32Array(2);
  const double = new Float64Array(halves.buffer);
  for (const { labels, samples } of series) {
    writer.messageField(1, () => {
      for (const name of Object.keys(labels).sort()) {
        writer.messageField(1, () => {
          writer.textField(1, name);
          writer.textField(2, labels[name] ?? '');
        });
      }
      for (const [timeMs, value] of samples) {
        writer.messageField(2, () => {
          double[0] = value;
          writer.doubleBitsField(1, halves[0] ?? 0, halves[1] ?? 0);
          writer.signedField(2, timeMs);
        });
      }
    });
  }
  return snappyEncode(writer.finish());
}

/** Posts to `url`; rejects unless it is taken. */
export async function postWrite(url: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    },
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
}
