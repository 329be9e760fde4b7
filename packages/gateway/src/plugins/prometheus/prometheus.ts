import type { Answer } from '../../core/answer.ts';
import type { MatchedRoute } from '../../core/request-context.ts';
import { definePlugin, type PluginEnvironment } from '../plugin.ts';
import { countedText, mergedText } from './merged-text.ts';
import { isCounted, isOfProcess, processMetrics } from './process-metrics.ts';
import {
  createRequestMetrics,
  type RequestLabels,
  type RequestMetrics,
  STATUS_LABELS,
  STRUCTURAL,
  TYPED_LABELS,
} from './request-metrics.ts';
import { type PrometheusSettings, prometheusSettings } from './settings.ts';

interface Prometheus {
  readonly prefer_name: boolean;
}

/** What all instances write to and the endpoint reads. */
interface Exporter {
  readonly settings: PrometheusSettings;
  readonly requests: RequestMetrics;
}

function hideable(labels: readonly string[]) {
  const items = { type: 'string', enum: labels.filter((label) => !STRUCTURAL.has(label)) };
  return { type: 'array', items, uniqueItems: true };
}

/** Counts requests, and shows the counts as Prometheus reads them. */
export const prometheus = definePlugin<Prometheus>({
  name: 'prometheus',
  priority: 500,
  observes: true,
  summary: 'Counts requests by route, status and node, and shows the counts to Prometheus.',
  prefersRoute: true,
  schema: {
    type: 'object',
    properties: { prefer_name: { type: 'boolean', default: false } },
  },
  metadataSchema: {
    type: 'object',
    properties: {
      disabled_labels: {
        type: 'object',
        properties: {
          http_status: hideable(STATUS_LABELS),
          http_latency: hideable(TYPED_LABELS),
          bandwidth: hideable(TYPED_LABELS),
        },
        additionalProperties: false,
      },
    },
  },
  create({ prefer_name }, environment) {
    const { requests } = exporterOf(environment);
    const hidden = environment.metadata()?.['disabled_labels'] ?? {};
    // Checked edge: the metadata's schema has accepted it.
    const disabled = hidden as Readonly<Record<string, readonly string[]>>;
    const none: RequestLabels = { route: '', service: '', disabled };
    const byRoute = new WeakMap<MatchedRoute, RequestLabels>();
    function labelsOf(route: MatchedRoute): RequestLabels {
      const routeName = prefer_name ? route.object.name : undefined;
      const serviceName = prefer_name ? route.service?.name : undefined;
      return {
        route: routeName ?? route.id,
        service: serviceName ?? route.serviceId ?? '',
        disabled,
      };
    }
    return {
      log(context) {
        const { route } = context;
        let labels = route === undefined ? none : byRoute.get(route);
        if (labels === undefined && route !== undefined) {
          labels = labelsOf(route);
          byRoute.set(route, labels);
        }
        requests.record(context, labels ?? none);
      },
    };
  },
  respond(_, environment) {
    const { settings, requests } = exporterOf(environment);
    const { facts, batches, now } = environment;
    const { prefix } = settings;
    return {
      prefix,
      text:
        requests.text(now()) +
        processMetrics({ prefix, facts, batches, refused: requests.refused }),
    };
  },
  fold(before, last) {
    const { prefix, text } = last as Said;
    const counted = countedText(text, (family) => isCounted(family.slice(prefix.length)));
    return before === undefined
      ? { prefix, text: counted }
      : { prefix, text: merged([before as Said, { prefix, text: counted }]) };
  },
  publicApis(environment) {
    const { settings } = exporterOf(environment);
    if (settings.hasExportServer) return [];
    const handle = (): Promise<Answer> => scrape(environment);
    return [{ methods: ['GET'], path: settings.exportUri, handle }];
  },
  listener(environment) {
    const { settings } = exporterOf(environment);
    if (!settings.hasExportServer) return undefined;
    return {
      ip: settings.exportIp,
      port: settings.exportPort,
      isConfigured: settings.isAddressConfigured,
      path: settings.exportUri,
      answer: () => scrape(environment),
    };
  },
});

function exporterOf(environment: PluginEnvironment): Exporter {
  return environment.lasting(() => {
    const settings = prometheusSettings(environment.attributes);
    return { settings, requests: createRequestMetrics(settings, environment.now) };
  });
}

/** Metrics of one process. */
interface Said {
  readonly prefix: string;
  readonly text: string;
}

async function scrape(environment: PluginEnvironment): Promise<Answer> {
  const said = (await environment.askAll()) as readonly Said[];
  return {
    status: 200,
    headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: merged(said),
  };
}

function merged(said: readonly Said[]): string {
  const [first] = said;
  if (first === undefined || said.length === 1) return first?.text ?? '';
  const texts = said.map(({ text }) => text);
  return mergedText(texts, (family) => isOfProcess(family.slice(first.prefix.length)));
}
