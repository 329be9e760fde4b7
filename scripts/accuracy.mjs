// Writes docs/accuracy.md and its plots from the links bench: `npm run accuracy [-- --from FILE]`,
// where FILE holds what `./thalweg bench links --json` printed. Without it the bench runs.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const from = process.argv[process.argv.indexOf('--from') + 1];
const text = process.argv.includes('--from')
  ? readFileSync(from, 'utf8')
  : execFileSync(`${root}thalweg`, ['bench', 'links', '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 64 * 2 ** 20,
    });
const report = JSON.parse(text);

/** Case and connections → metric → value. */
const cells = new Map();
for (const { case: name, metric, value } of report.rows) {
  const cell = cells.get(name) ?? new Map();
  cell.set(metric, value);
  cells.set(name, cell);
}
const caseOf = (name) => name.replace(/-c\d+$/, '');
const connectionsOf = (name) => Number(/-c(\d+)$/.exec(name)[1]);
const cases = [...new Set([...cells.keys()].map(caseOf))];
const connections = [...new Set([...cells.keys()].map(connectionsOf))].sort((a, b) => a - b);

const percent = (value) =>
  value === undefined ? '–' : (100 * value).toFixed(value > 0.9995 || value < 0.0005 ? 0 : 1);
const sum = (metric) =>
  [...cells.values()].reduce((total, cell) => total + (cell.get(metric) ?? 0), 0);

function table() {
  const lines = [
    '| case | calls | precision | recall | wrong solid | orphans | exact trees | ECE | DeepFlow rule: precision, recall | lost |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const [name, cell] of cells) {
    const share = (metric) => percent(cell.get(metric));
    lines.push(
      `| ${name} | ${cell.get('calls_judged') ?? 0} | ${share('precision')} | ${share('recall')} | ${share('wrong_solid')} | ${share('orphans')} | ${share('exact_trees')} | ${cell.get('ece')?.toFixed(3) ?? '–'} | ${share('precision_deepflow')}, ${share('recall_deepflow')} | ${cell.get('lost_events') ?? 0} |`,
    );
  }
  return lines.join('\n');
}

function reliability() {
  const lines = ['| claimed | links | mean claim | right |', '|---|---|---|---|'];
  for (let bin = 0; bin < 10; bin += 1) {
    const name = `reliability_${(bin / 10).toFixed(1)}`;
    let [count, claimed, right] = [0, 0, 0];
    for (const cell of cells.values()) {
      const n = cell.get(`${name}_count`) ?? 0;
      count += n;
      claimed += n * (cell.get(`${name}_claimed`) ?? 0);
      right += n * (cell.get(`${name}_right`) ?? 0);
    }
    if (count === 0) continue;
    const range = `${(bin / 10).toFixed(1)} to ${((bin + 1) / 10).toFixed(1)}`;
    lines.push(
      `| ${range} | ${count} | ${(claimed / count).toFixed(3)} | ${(right / count).toFixed(3)} |`,
    );
  }
  return lines.join('\n');
}

const WIDTH = 168;
const HEIGHT = 96;
const COLUMNS = 4;
const LEGEND = [
  ['recall', '#2f7d8c'],
  ['recall of the thread rule', '#c0563f'],
  ['wrong among solid links', '#8a63b8'],
];

/** Small multiples: recall over connections, ours and the thread rule's. */
function plot() {
  const rows = Math.ceil(cases.length / COLUMNS);
  const x = (index) => 24 + (index * (WIDTH - 40)) / Math.max(1, connections.length - 1);
  const y = (value) => 24 + (1 - value) * (HEIGHT - 44);
  const line = (name, metric, colour) => {
    const points = connections.flatMap((count, index) => {
      const value = cells.get(`${name}-c${count}`)?.get(metric);
      return value === undefined ? [] : [[x(index), y(value)]];
    });
    const dots = points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2" fill="${colour}"/>`);
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>${dots.join('')}`;
  };
  const names = LEGEND.map(([name, colour]) => `<tspan fill="${colour}">${name}</tspan>`);
  const legend = `<text x="4" y="12">${names.join(' · ')}, by connections</text>`;
  const panels = cases.map((name, index) => {
    const at = `translate(${(index % COLUMNS) * WIDTH},${Math.floor(index / COLUMNS) * HEIGHT + 20})`;
    const labels = connections.map(
      (count, i) => `<text x="${x(i)}" y="${HEIGHT - 8}" text-anchor="middle">${count}</text>`,
    );
    return `<g transform="${at}"><text x="4" y="12" font-weight="600">${name}</text>
<path d="M24 ${y(0)}H${WIDTH - 16}M24 ${y(1)}H${WIDTH - 16}" stroke="#8884"/><text x="4" y="${y(1) + 3}">1</text><text x="4" y="${y(0) + 3}">0</text>
${labels.join('')}${line(name, 'recall_deepflow', '#c0563f')}${line(name, 'recall', '#2f7d8c')}${line(name, 'wrong_solid', '#8a63b8')}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH * COLUMNS}" height="${HEIGHT * rows + 20}" font-family="sans-serif" font-size="9" fill="#666">
${legend}
${panels.join('\n')}
</svg>
`;
}

writeFileSync(`${root}docs/accuracy.svg`, plot());
writeFileSync(
  `${root}docs/accuracy.md`,
  `# How right the parent links are

Written by \`npm run accuracy\`: do not edit. ${report.machine}, commit ${report.commit}.

Real programs in chains, asked by wrk over 1 to 256 connections for a second each. Every path holds an
id that the agent does not look at; no header carries one, so this is the *blind* mode. A call is
judged against the request of the same process with the same id. Shares in percent.

- **precision**: right among the links shown (p ≥ 0.5); **recall**: right among the true ones;
  **wrong solid**: wrong among those at p ≥ 0.9; **orphans**: true ones not shown; **exact trees**:
  requests all of whose calls hang right; **ECE**: how far claims are from what came true.
- *DeepFlow rule*: the last message that the thread read, used once, on the same records.
- Limit: what the kernel lost (last column) is judged by what is left of it.

![Recall by connections, each case](accuracy.svg)

${table()}

## What a probability is worth

All cases together: ${sum('calls_judged')} calls. Links by the probability that they claimed.

${reliability()}
`,
);
console.log('wrote docs/accuracy.md and docs/accuracy.svg');
