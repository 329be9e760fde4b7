/** A query that costs more than it is worth, or none. */
export interface HostileQuery {
  readonly name: string;
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
}

const DEEP = 1e5;
const deep = (open: string, close = ''): string => `${open.repeat(DEEP)}1${close.repeat(DEEP)}`;
/** Catastrophic in engines that go back; the last is a program of a billion states. */
const PATTERNS = ['(a+)+$', '(a|aa)+$', '(.*a){25}', '((a{1000}){1000}){1000}', '['.repeat(999)];
const WIDE = Array.from({ length: 5_000 }, (_, at) => `v${at}.*`).join('|');

export function hostileQueries(): HostileQuery[] {
  return [...promql(), ...others()];
}

function promql(): HostileQuery[] {
  const path = '/prom/api/v1/query';
  const texts = {
    'parentheses 100,000 deep': deep('(', ')'),
    'signs 100,000 deep': deep('-'),
    'calls 100,000 deep': deep('abs(', ')'),
    'a sum of 100,000 terms': deep('1+'),
    'powers of 100,000 terms': deep('1^'),
    'subqueries 100,000 deep': `up${'[1m:1s]'.repeat(DEEP)}`,
    'a megabyte that is no query': 'x '.repeat(5e5),
    noise: '\u0000\uffff'.repeat(1_000),
    'alternatives by the thousand': `{__name__=~"${WIDE}"}`,
  };
  const selectors = PATTERNS.map((pattern) => `{__name__=~${JSON.stringify(pattern)}}`);
  return [
    ...Object.entries(texts).map(([name, query]) => ({ name, path, form: { query } })),
    ...selectors.map((query) => ({ name: `PromQL ${query.slice(0, 40)}`, path, form: { query } })),
    ...selectors.map((query) => ({
      name: `series ${query.slice(0, 40)}`,
      path: '/prom/api/v1/series',
      form: { 'match[]': query },
    })),
    {
      name: 'a range of 100 years by the millisecond',
      path: '/prom/api/v1/query_range',
      form: { query: '1', start: '0', end: '3e9', step: '0.001' },
    },
    {
      name: 'a replacement of a hostile pattern',
      path,
      form: { query: `label_replace(vector(1), "a", "$1", "b", "((a{1000}){1000}){1000}")` },
    },
    { name: 'a matcher of a megabyte', path, form: { query: `{a="${'x'.repeat(1e6)}"}` } },
  ];
}

function others(): HostileQuery[] {
  const url = (path: string, text: string): string => `${path}${encodeURIComponent(text)}`;
  const nested = `${'('.repeat(4_000)}1${')'.repeat(4_000)}`;
  return [
    ...PATTERNS.map((pattern) => ({
      name: `TraceQL ${pattern.slice(0, 40)}`,
      path: url('/tempo/api/search?q=', `{ name =~ ${JSON.stringify(pattern)} }`),
    })),
    ...PATTERNS.map((pattern) => ({
      name: `a profile selector ${pattern.slice(0, 40)}`,
      path: url('/pyroscope/render?query=', `cpu:cpu:a:cpu:a{x=~${JSON.stringify(pattern)}}`),
    })),
    ...PATTERNS.map((pattern) => ({
      name: `SQL ${pattern.slice(0, 40)}`,
      path: '/v1/query/',
      form: { sql: `SELECT endpoint FROM l7_flow_log WHERE endpoint REGEXP '${pattern}' LIMIT 1` },
    })),
    { name: 'TraceQL 4,000 deep', path: url('/tempo/api/search?q=', `{ ${nested} = 1 }`) },
    { name: 'TraceQL of 2,000 spansets', path: url('/tempo/api/search?q=', '{}>>'.repeat(1_900)) },
    {
      name: 'SQL 4,000 deep',
      path: '/v1/query/',
      form: { sql: `SELECT ${nested} FROM l7_flow_log` },
    },
    { name: 'SQL of a megabyte', path: '/v1/query/', form: { sql: 'x '.repeat(5e5) } },
    { name: 'tags 4,000 deep', path: url('/jaeger/api/traces?service=a&tags=', '['.repeat(4_000)) },
  ];
}
