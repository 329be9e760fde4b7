/** An answer of query or query_range, as far as it is compared. */
export interface ApiAnswer {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly data?: { readonly resultType: string; readonly result: unknown };
}

type Point = readonly [time: number, value: string];

export async function ask(
  base: string,
  path: string,
  parameters: Readonly<Record<string, string>>,
): Promise<ApiAnswer> {
  const response = await fetch(`${base}/${path}`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  return (await response.json()) as ApiAnswer; // Both speak Prometheus's API.
}

/** The first difference, or ''. Values may differ by `relative`; the order of series is free. */
export function differenceOf(one: ApiAnswer, other: ApiAnswer, relative: number): string {
  if (one.status !== other.status) {
    return `${one.status} ${one.error ?? ''}, and ${other.status} ${other.error ?? ''}`;
  }
  if (one.status === 'error') {
    return one.errorType === other.errorType ? '' : `${one.errorType}, and ${other.errorType}`;
  }
  const [left, right] = [seriesOf(one), seriesOf(other)];
  if (left.size !== right.size) return `${left.size} series, and ${right.size}`;
  for (const [labels, points] of left) {
    const others = right.get(labels);
    if (others === undefined) return `${labels} is in one only`;
    if (points.length !== others.length) {
      return `${labels}: ${points.length} points, and ${others.length}`;
    }
    for (const [at, [time, value]] of points.entries()) {
      const [otherTime, otherValue] = others[at] ?? [Number.NaN, ''];
      if (time !== otherTime) return `${labels}: a point at ${time}, and at ${otherTime}`;
      if (!isNear(value, otherValue, relative)) {
        return `${labels} at ${time}: ${value}, and ${otherValue}`;
      }
    }
  }
  return '';
}

function isNear(one: string, other: string, relative: number): boolean {
  if (one === other) return true;
  const [left, right] = [Number(one), Number(other)];
  return Math.abs(left - right) <= relative * Math.max(Math.abs(left), Math.abs(right));
}

function seriesOf({ data }: ApiAnswer): Map<string, readonly Point[]> {
  if (data === undefined) return new Map();
  if (data.resultType === 'scalar' || data.resultType === 'string') {
    return new Map([['', [data.result as Point]]]);
  }
  const list = data.result as {
    metric: Record<string, string>;
    value?: Point;
    values?: readonly Point[];
  }[];
  return new Map(
    list.map(({ metric, value, values }) => {
      const key = Object.keys(metric)
        .sort()
        .map((name) => `${name}="${metric[name]}"`)
        .join(',');
      return [key, value === undefined ? (values ?? []) : [value]];
    }),
  );
}
