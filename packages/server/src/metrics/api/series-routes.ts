import type { FastifyReply } from 'fastify';
import { compareLabels } from '../label-index.ts';
import { PrometheusError, sendData } from './envelope.ts';
import { labelsJson } from './json.ts';
import { needSelectors, readLimit, readRange, readSelectors } from './parameters.ts';
import type { PrometheusContext, PrometheusRequest } from './route.ts';

const TRUNCATED = ['results truncated due to limit'];

/** GET and POST series: label sets of what the selectors match. */
export async function answerSeries(
  { parameters }: PrometheusRequest,
  reply: FastifyReply,
  { catalogue }: PrometheusContext,
): Promise<FastifyReply> {
  const limit = readLimit(parameters);
  const range = readRange(parameters);
  const found = await catalogue.series(needSelectors(parameters), range);
  found.sort(compareLabels);
  const shown = limit > 0 ? found.slice(0, limit) : found;
  const warnings = shown.length < found.length ? TRUNCATED : [];
  return sendData(reply, `[${shown.map(labelsJson).join(',')}]`, { warnings });
}

/** GET and POST labels: names, of all series or of those that `match[]` selects. */
export async function answerLabels(
  { parameters }: PrometheusRequest,
  reply: FastifyReply,
  { catalogue }: PrometheusContext,
): Promise<FastifyReply> {
  const limit = readLimit(parameters);
  const names = await catalogue.labelNames(readSelectors(parameters), readRange(parameters));
  return sendTexts(reply, names, limit);
}

/** GET label/NAME/values. A name that starts with `U__` is escaped, as Prometheus 3 spells UTF-8. */
export async function answerLabelValues(
  { parameters, name }: PrometheusRequest,
  reply: FastifyReply,
  { catalogue }: PrometheusContext,
): Promise<FastifyReply> {
  const plain = name.startsWith('U__') ? unescapeName(name) : name;
  if (plain === '')
    throw new PrometheusError('bad_data', `invalid label name: ${JSON.stringify(name)}`);
  const limit = readLimit(parameters);
  const values = await catalogue.labelValues(
    plain,
    readSelectors(parameters),
    readRange(parameters),
  );
  return sendTexts(reply, values, limit);
}

function sendTexts(reply: FastifyReply, texts: readonly string[], limit: number): FastifyReply {
  const sorted = [...texts].sort();
  const shown = limit > 0 ? sorted.slice(0, limit) : sorted;
  const warnings = shown.length < sorted.length ? TRUNCATED : [];
  return sendData(reply, JSON.stringify(shown), { warnings });
}

/** `U__a_2e_b` is `a.b`: hex between underscores, `__` one underscore. */
function unescapeName(name: string): string {
  return name
    .slice('U__'.length)
    .replace(/__|_([0-9a-fA-F]{1,6})_/g, (_, hex?: string) =>
      hex === undefined ? '_' : String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(hex, 16))),
    );
}
