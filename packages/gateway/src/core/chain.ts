import { performance } from 'node:perf_hooks';
import type { ConfOrigin, Handlers, Outcome, Plugin } from '../plugins/plugin.ts';
import { type Answer, answerBytes } from './answer.ts';
import { compileExpression } from './match/expression.ts';
import type { PluginConf, PluginConfs } from './objects.ts';
import type { RequestContext } from './request-context.ts';

/** One plugin of a chain, ready to run. */
export interface Step {
  readonly plugin: Plugin;
  readonly handlers: Handlers;
  readonly conf: PluginConf;
  /** `_meta.filter`; undefined when there is none. */
  readonly accepts: ((context: RequestContext) => boolean) | undefined;
  /** `_meta.error_response`: stands for the body of an answer of 400 and above. */
  readonly errorResponse: Answer['body'];
}

/** Plugins of one place in the order they run, and by phase only those that take part. */
export interface Chain {
  readonly steps: readonly Step[];
  readonly rewrite: readonly Step[];
  readonly access: readonly Step[];
  readonly beforeProxy: readonly Step[];
  readonly headerFilter: readonly Step[];
  readonly bodyFilter: readonly Step[];
  readonly log: readonly Step[];
}

export interface PlacedConf {
  readonly conf: PluginConf;
  readonly origin: ConfOrigin;
}

export const EMPTY_CHAIN: Chain = chainOf([]);

export interface ChainParts {
  find(name: string): Plugin | undefined;
  instance(plugin: Plugin, placed: PlacedConf): Handlers;
}

/** A plugin that is not there or is disabled takes no part. */
export function buildChain(confs: ReadonlyMap<string, PlacedConf>, parts: ChainParts): Chain {
  const ranked: { readonly step: Step; readonly priority: number }[] = [];
  for (const [name, placed] of confs) {
    const plugin = parts.find(name);
    const meta = metaOf(placed.conf);
    if (plugin === undefined || meta['disable'] === true) continue;
    const filter = meta['filter'] === undefined ? undefined : compileExpression(meta['filter']);
    const accepts = filter?.kind === 'expression' ? filter : undefined;
    ranked.push({
      priority: typeof meta['priority'] === 'number' ? meta['priority'] : plugin.priority,
      step: {
        plugin,
        conf: placed.conf,
        handlers: parts.instance(plugin, placed),
        accepts:
          accepts === undefined
            ? undefined
            : (context) => accepts.holds((variable) => context.variable(variable)),
        errorResponse: errorResponseOf(meta['error_response']),
      },
    });
  }
  // One for all that have none, of however many routes.
  if (ranked.length === 0) return EMPTY_CHAIN;
  ranked.sort((a, b) => b.priority - a.priority);
  return chainOf(ranked.map(({ step }) => step));
}

function chainOf(steps: readonly Step[]): Chain {
  const having = (phase: keyof Handlers): readonly Step[] =>
    steps.filter(({ handlers }) => handlers[phase] !== undefined);
  return {
    steps,
    rewrite: having('rewrite'),
    access: having('access'),
    beforeProxy: having('before_proxy'),
    headerFilter: having('header_filter'),
    bodyFilter: having('body_filter'),
    log: having('log'),
  };
}

/** Runs a phase until a plugin answers; a promise only when a plugin gave one. */
export function runPhase(
  steps: readonly Step[],
  phase: 'rewrite' | 'access',
  context: RequestContext,
  from = 0,
): Outcome | Promise<Outcome> {
  for (let i = from; i < steps.length; i++) {
    const step = steps[i];
    if (step === undefined || step.accepts?.(context) === false) continue;
    const outcome =
      context.phases === undefined ? step.handlers[phase]?.(context) : timed(step, phase, context);
    if (outcome === undefined) continue;
    if (outcome instanceof Promise) {
      return outcome.then((answer) =>
        answer === undefined
          ? runPhase(steps, phase, context, i + 1)
          : withErrorResponse(step, answer),
      );
    }
    return withErrorResponse(step, outcome);
  }
  return undefined;
}

/** Unix ms with fractions. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Notes that `step` has done what it does in `phase`. */
export function phaseOver(
  context: RequestContext,
  { plugin }: Step,
  phase: string,
  startMs: number,
): void {
  context.phases?.push({ plugin: plugin.name, phase, startMs, endMs: preciseNow() });
}

function timed(
  step: Step,
  phase: 'rewrite' | 'access',
  context: RequestContext,
): Outcome | Promise<Outcome> {
  const startMs = preciseNow();
  const outcome = step.handlers[phase]?.(context);
  if (!(outcome instanceof Promise)) {
    phaseOver(context, step, phase, startMs);
    return outcome;
  }
  return outcome.finally(() => phaseOver(context, step, phase, startMs));
}

function withErrorResponse({ errorResponse }: Step, answer: Answer): Answer {
  if (errorResponse === undefined || answer.status < 400) return answer;
  return { ...answer, body: errorResponse };
}

/** One function through all body filters; undefined when none of them applies. */
export function bodyFilterOf(
  steps: readonly Step[],
  context: RequestContext,
): ((bytes: Buffer, isLast: boolean) => Buffer) | undefined {
  const taking = steps.filter(({ accepts }) => accepts?.(context) !== false);
  if (taking.length === 0) return undefined;
  return (bytes, isLast) =>
    taking.reduce((so, { handlers }) => handlers.body_filter?.(context, so, isLast) ?? so, bytes);
}

/** Later maps stand over earlier ones, plugin by plugin. */
export function layered(
  layers: readonly { readonly plugins: PluginConfs | undefined; readonly origin: ConfOrigin }[],
): ReadonlyMap<string, PlacedConf> {
  const placed = new Map<string, PlacedConf>();
  for (const { plugins, origin } of layers) {
    for (const [name, conf] of Object.entries(plugins ?? {})) placed.set(name, { conf, origin });
  }
  return placed;
}

export function metaOf(conf: PluginConf): PluginConf {
  const meta = conf['_meta'];
  return typeof meta === 'object' && meta !== null ? (meta as PluginConf) : {};
}

function errorResponseOf(given: unknown): Answer['body'] {
  if (typeof given === 'string') return answerBytes(given);
  if (typeof given !== 'object' || given === null) return undefined;
  return given as Readonly<Record<string, unknown>>;
}
