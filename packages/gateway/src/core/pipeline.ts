import type { Outcome } from '../plugins/plugin.ts';
import { type Answer, answerBytes, errorPage } from './answer.ts';
import type { Catalogue } from './catalogue.ts';
import {
  bodyFilterOf,
  type Chain,
  EMPTY_CHAIN,
  phaseOver,
  preciseNow,
  runPhase,
  type Step,
} from './chain.ts';
import type { Course } from './course.ts';
import { type BodyFilter, type ForwardingParts, forward } from './forwarding.ts';
import type { ClientConnection } from './http/client-connection.ts';
import { field, HeaderFields } from './http/header-fields.ts';
import { locate, type PlaceSettings } from './locate.ts';
import type { Warn } from './own-log.ts';
import { hasArguments, POST_BYTES_MAX } from './post-arguments.ts';
import type { RequestContext } from './request-context.ts';
import { timeoutsOf } from './upstream.ts';

/** What the pipeline is made of; forwarding's own parts are filled in by it. */
export interface PipelineParts {
  readonly catalogue: Catalogue;
  readonly serverToken: string;
  /** Times of plugins' phases are taken. */
  readonly isTracing: boolean;
  readonly places: PlaceSettings;
  readonly forwarding: Pick<
    ForwardingParts,
    'take' | 'now' | 'preciseNow' | 'destination' | 'report' | 'showsUpstreamStatus'
  >;
  readonly counters: PipelineCounters;
  /** Whether the certificate that a client has shown is enough for this request over TLS. */
  admits(context: RequestContext): boolean;
  /** Called once for each request, after its plugins' `log`. */
  logged(context: RequestContext): void;
  readonly warn: Warn;
}

export interface PipelineCounters {
  /** Handlers that threw: their requests were answered 500. */
  pluginErrors: number;
  unmatched: number;
}

const TEXT = 'text/plain; charset=utf-8';

/** Takes a request from its head to its answer: match, plugins by phase, upstream, log. */
export function createPipeline(
  parts: PipelineParts,
): (context: RequestContext, client: ClientConnection) => void {
  const { catalogue, counters, warn } = parts;
  const server = field('Server', 'server', parts.serverToken);
  const forwarding: ForwardingParts = {
    ...parts.forwarding,
    beforeProxy: (context) => each(context, 'beforeProxy', 'before_proxy'),
    headerFilter,
    bodyFilter,
    answer: (context, client, status) => {
      // No node is no failure of the proxying: as APISIX has it, there is no page.
      const isNoNode = status === 503 && context.tries.length === 0;
      send(context, client, isNoNode ? { status, source: 'apisix' } : errorPage(status));
    },
    done: finish,
  };

  function handle(context: RequestContext, client: ClientConnection): void {
    if (!locate(context, parts.places)) {
      // Where it leads makes no sense: what follows it may make none either.
      client.last();
      send(context, client, errorPage(400));
      finish(context);
      return;
    }
    if (context.peer.isTls && !parts.admits(context)) {
      send(context, client, errorPage(400));
      finish(context);
      return;
    }
    if (!catalogue.readsBody() || !hasArguments(context)) {
      begin(context, client);
      return;
    }
    let isGone = false;
    client.listen({
      gone() {
        isGone = true;
        finish(context);
      },
      drained: () => undefined,
    });
    void context.body.read(POST_BYTES_MAX).then((bytes) => {
      if (isGone) return;
      client.listen(undefined);
      if (bytes !== undefined) begin(context, client);
      else {
        send(context, client, errorPage(413));
        finish(context);
      }
    });
  }

  function begin(context: RequestContext, client: ClientConnection): void {
    if (parts.isTracing) context.phases = [];
    const route = catalogue.match(context);
    const course: Course = {
      globals: catalogue.globalChains(),
      route,
      chain: route?.chain ?? EMPTY_CHAIN,
    };
    context.course = course;
    if (route === undefined) counters.unmatched += 1;
    if (course.globals.length === 0 && course.chain.steps.length === 0) {
      proceed(context, client, course);
      return;
    }
    let isGone = false;
    const settle = (outcome: Outcome): void => {
      if (isGone) return;
      client.listen(undefined);
      if (outcome === undefined) proceed(context, client, course);
      else {
        send(context, client, outcome);
        finish(context);
      }
    };
    const outcome = guarded(() => runAll(context, course));
    if (!(outcome instanceof Promise)) {
      settle(outcome);
      return;
    }
    client.listen({
      gone() {
        isGone = true;
        finish(context);
      },
      drained: () => undefined,
    });
    void outcome.then(settle, (error: unknown) => settle(broken(error)));
  }

  function guarded(run: () => Outcome | Promise<Outcome>): Outcome | Promise<Outcome> {
    try {
      return run();
    } catch (error) {
      return broken(error);
    }
  }

  function broken(error: unknown): Answer {
    counters.pluginErrors += 1;
    warn(
      `a plugin failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      'error',
    );
    return { ...errorPage(500) };
  }

  /** Every phase before the upstream; without a waiting plugin there is no promise. */
  function runAll(context: RequestContext, course: Course): Outcome | Promise<Outcome> {
    const { globals, route } = course;
    const hasGlobals = globals.length > 0;
    if (!hasGlobals) return runRoute(context, course);
    const before = runGlobals(context, globals, course, 'rewrite');
    const then = (outcome: Outcome): Outcome | Promise<Outcome> =>
      outcome ?? (route === undefined ? undefined : runRoute(context, course));
    const access = (outcome: Outcome): Outcome | Promise<Outcome> =>
      outcome ?? chained(runGlobals(context, globals, course, 'access'), then);
    return chained(before, access);
  }

  function runRoute(context: RequestContext, course: Course): Outcome | Promise<Outcome> {
    const rewritten = runPhase(course.chain.rewrite, 'rewrite', context);
    return chained(rewritten, (outcome) => {
      if (outcome !== undefined) return outcome;
      if (context.consumer === undefined) return runPhase(course.chain.access, 'access', context);
      const before = new Set(course.chain.rewrite.map(({ handlers }) => handlers));
      course.chain = course.route?.chainFor(context.consumer) ?? course.chain;
      const added = course.chain.rewrite.filter(({ handlers }) => !before.has(handlers));
      return chained(runPhase(added, 'rewrite', context), (second) => {
        return second ?? runPhase(course.chain.access, 'access', context);
      });
    });
  }

  /** After the plugins: the upstream, or what stands for it. */
  function proceed(context: RequestContext, client: ClientConnection, course: Course): void {
    const { route } = course;
    if (route === undefined) {
      send(context, client, { status: 404, body: { error_msg: '404 Route Not Found' } });
      finish(context);
      return;
    }
    const upstream = context.upstream ?? route.upstream;
    const isMissing = route.missing !== undefined && context.upstream === undefined;
    if (isMissing || upstream === undefined) {
      const status = route.missing ?? 503;
      const hasPage = status === 502 || route.missing === undefined;
      send(context, client, hasPage ? errorPage(status) : { status, source: 'apisix' });
      finish(context);
      return;
    }
    context.upstream = upstream;
    forward(forwarding, context, client, {
      upstream,
      timeouts: route.timeouts ?? upstream.timeouts ?? timeoutsOf(undefined),
      allowsUpgrade: route.allowsUpgrade,
    });
  }

  /** An answer of the gateway's own, through the same filters as one from upstream. */
  function send(context: RequestContext, client: ClientConnection, given: Answer): void {
    const isStatus = given.status >= 200 && given.status <= 999;
    const answer = isStatus ? given : broken(new Error(`${given.status} is no status`));
    const fields = new HeaderFields();
    for (const [name, value] of Object.entries(answer.headers ?? {})) {
      if (typeof value === 'string') fields.set(name, value);
      else for (const one of value) fields.add(name, one);
    }
    if (!fields.has('content-type')) fields.add('Content-Type', TEXT);
    context.response = { status: answer.status, fields, source: answer.source ?? 'apisix' };
    const filter = bodyFilter(context);
    headerFilter(context);
    const bytes = answerBytes(answer.body);
    const sent = filter === undefined ? bytes : filter(bytes, true);
    fields.remove('content-length');
    client.answer(context.response.status, fields, sent);
    context.endMs = parts.forwarding.preciseNow();
  }

  function headerFilter(context: RequestContext): void {
    context.response?.fields.put(server);
    each(context, 'headerFilter', 'header_filter');
  }

  function bodyFilter(context: RequestContext): BodyFilter | undefined {
    const { course } = context;
    if (course === undefined) return undefined;
    const steps = stepsOf(course, 'bodyFilter');
    return steps.length === 0 ? undefined : bodyFilterOf(steps, context);
  }

  function each(
    context: RequestContext,
    phase: 'beforeProxy' | 'headerFilter' | 'log',
    handler: 'before_proxy' | 'header_filter' | 'log',
  ): void {
    const { course } = context;
    if (course === undefined) return;
    for (const step of stepsOf(course, phase)) {
      if (step.accepts?.(context) === false) continue;
      try {
        const startMs = context.phases === undefined ? 0 : preciseNow();
        step.handlers[handler]?.(context);
        if (context.phases !== undefined) phaseOver(context, step, handler, startMs);
      } catch (error) {
        broken(error);
      }
    }
  }

  function finish(context: RequestContext): void {
    if (context.endMs === 0) context.endMs = parts.forwarding.preciseNow();
    each(context, 'log', 'log');
    parts.logged(context);
  }

  return handle;
}

type Phase = 'rewrite' | 'access' | 'beforeProxy' | 'headerFilter' | 'bodyFilter' | 'log';

/** Global rules first; a plugin that prefers the route is left out there when the route has it. */
function stepsOf({ globals, chain }: Course, phase: Phase): readonly Step[] {
  if (chain.steps.length === 0 && globals.length === 0) return chain.steps;
  if (globals.length === 0) return chain[phase];
  return [
    ...globals.flatMap((rule) =>
      rule[phase].filter(({ plugin }) => !isTaken(plugin.name, plugin.prefersRoute, chain)),
    ),
    ...chain[phase],
  ];
}

function isTaken(name: string, prefersRoute: boolean, chain: Chain): boolean {
  return prefersRoute && chain.steps.some(({ plugin }) => plugin.name === name);
}

function runGlobals(
  context: RequestContext,
  globals: readonly Chain[],
  { chain }: Course,
  phase: 'rewrite' | 'access',
): Outcome | Promise<Outcome> {
  const steps = globals.flatMap((rule) =>
    rule[phase].filter(({ plugin }) => !isTaken(plugin.name, plugin.prefersRoute, chain)),
  );
  return runPhase(steps, phase, context);
}

/** `next` after `outcome`, at once where there is nothing to wait for. */
function chained(
  outcome: Outcome | Promise<Outcome>,
  next: (outcome: Outcome) => Outcome | Promise<Outcome>,
): Outcome | Promise<Outcome> {
  return outcome instanceof Promise ? outcome.then(next) : next(outcome);
}
