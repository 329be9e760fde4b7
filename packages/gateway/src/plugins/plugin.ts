import type { Answer } from '../core/answer.ts';
import type { BatchBook } from '../core/batch-book.ts';
import type { ConsumerBook } from '../core/consumer.ts';
import type { PluginConf, UpstreamObject } from '../core/objects.ts';
import type { OwnLog } from '../core/own-log.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { Upstream } from '../core/upstream.ts';
import type { Hub, Topic } from '../workers/hub.ts';

/** JSON Schema, draft 7, as APISIX publishes it at `/v1/schema`; `default` fills what is absent. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Nothing: the chain goes on. An answer: it is sent, and no later plugin or upstream is asked. */
export type Outcome = Answer | undefined;

/**
 * What one configured plugin does, by phase. `conf` was checked and filled with defaults, so a
 * handler trusts it. A handler that throws makes the answer 500 and is counted; it never ends the
 * process. Handlers keep their own state in `create`, never in the module.
 */
export interface Handlers {
  rewrite?(context: RequestContext): Outcome | Promise<Outcome>;
  access?(context: RequestContext): Outcome | Promise<Outcome>;
  /** Once for each try, after the node was chosen. */
  before_proxy?(context: RequestContext): void;
  /** May change `context.response`: status and fields, before they are sent. */
  header_filter?(context: RequestContext): void;
  /**
   * Gets each piece of the body and answers what is sent instead. The last call has `isLast` and
   * may have no octets. Who changes the length must drop Content-Length in `header_filter`.
   */
  body_filter?(context: RequestContext, bytes: Buffer, isLast: boolean): Buffer;
  /** After the last octet was handed over, or the client left. */
  log?(context: RequestContext): void;
  /** The configuration is gone: end timers, send what is held. */
  close?(): void | Promise<void>;
}

/** An endpoint of a plugin, reachable only through a route with `public-api`. */
export interface PublicApi {
  readonly methods: readonly string[];
  readonly path: string;
  handle(context: RequestContext): Answer | Promise<Answer>;
}

/** A plugin's own place to be asked, beside the proxy: metrics on a port of their own. */
export interface PluginListener {
  readonly ip: string;
  readonly port: number;
  /** Somebody has written the address: a taken port is then an error, else a warning. */
  readonly isConfigured: boolean;
  readonly path: string;
  answer(): Answer | Promise<Answer>;
}

/** What a plugin does for as long as the gateway runs, whether or not something is configured with it. */
export interface Background {
  /** The plugin's metadata is another one. */
  renew(): void;
  close(): Promise<void>;
}

/** Where a plugin's configuration stands; counters of `limit-count` are told apart by it. */
export interface ConfOrigin {
  readonly kind: string;
  readonly id: string;
}

/** What a plugin may ask of the gateway that runs it. */
export interface PluginEnvironment {
  readonly origin: ConfOrigin;
  /** `plugin_metadata` of this plugin at this moment; undefined when there is none. */
  metadata(): PluginConf | undefined;
  /** As `metadata`, with the defaults of its schema and what references stand for. */
  settings(): PluginConf | undefined;
  /** `plugin_attr` of this plugin in config.yaml. */
  readonly attributes: PluginConf;
  readonly consumers: ConsumerBook;
  /** Unix time in milliseconds. */
  now(): number;
  /** An upstream with balancer and pools of its own, or the stored one; undefined when missing. */
  upstream(given: UpstreamObject | { readonly id: string }): Upstream | undefined;
  /** Another plugin as this one configures it (multi-auth, workflow); text says why not. */
  plugin(name: string, conf: PluginConf): Handlers | string;
  publicApi(method: string, path: string): PublicApi | undefined;
  /** `content` of a stored proto; undefined when there is none of this id. */
  proto(id: string): string | undefined;
  /**
   * State that outlives this instance: a counter that a change of another plugin must not reset.
   * Made once for each `key` of this plugin; forgotten, oldest first, past 10,000 keys.
   */
  shared<State>(key: string, make: () => State): State;
  /** State of this plugin for as long as the gateway runs; made once. */
  lasting<State>(make: () => State): State;
  /** One state for all processes of this gateway, as long as `shared` keeps one. */
  readonly common: Hub['common'];
  /** Of this process, among all of this gateway. */
  readonly process: number;
  /** What `respond` says in every process of this gateway; see `Hub.ask`. */
  askAll(question?: unknown): readonly unknown[] | Promise<readonly unknown[]>;
  /** What became of the entries that loggers and tracers send in batches. */
  readonly batches: BatchBook;
  /** What the gateway says of itself. */
  readonly ownLog: Pick<OwnLog, 'subscribe'>;
  /** Facts about the process for plugins that export them. */
  readonly facts: GatewayFacts;
  /** One line for the person who runs the gateway: never with secrets. */
  warn(message: string): void;
}

/** What a check may ask: the plugins that a configuration names within itself. */
export interface CheckEnvironment {
  find(name: string): Plugin | undefined;
  /** `plugin_attr` of the plugin that is checked. */
  readonly attributes: PluginConf;
  /** What is wrong with `conf` as the configuration of `plugin`; undefined when nothing is. */
  violation(plugin: Plugin, conf: unknown): string | undefined;
}

export interface GatewayFacts {
  /** `apisix.id` of the configuration, or the one made at first start. */
  readonly id: string;
  readonly hostname: string;
  readonly version: string;
  /** Ports that speak TLS, as configured. */
  readonly httpsPorts: readonly number[];
  requestsTotal(): number;
  connections(): Readonly<
    Record<'active' | 'accepted' | 'handled' | 'reading' | 'writing' | 'waiting', number>
  >;
  /** Streams since the start by route, now by listening address, and datagrams that were dropped. */
  streams(): {
    readonly totals: ReadonlyMap<string, number>;
    readonly active: ReadonlyMap<string, number>;
    readonly dropped: number;
  };
  /** The store's newest index by kind of object; undefined when a file is all there is. */
  modifyIndexes(): Readonly<Record<string, number>> | undefined;
  /** False while changes of the configuration cannot be kept or followed. */
  isStoreReachable(): boolean;
  upstreamStates(): readonly {
    readonly name: string;
    readonly ip: string;
    readonly port: number;
    readonly isHealthy: boolean;
  }[];
}

export type Subsystem = 'http' | 'stream';

export interface Plugin {
  readonly name: string;
  /** Higher runs first. APISIX's own number, so that orders agree. */
  readonly priority: number;
  /** One short sentence for the generated page. */
  readonly summary: string;
  /** A configuration for the generated page. */
  readonly example: PluginConf | undefined;
  /** What differs from APISIX, a sentence each, for the generated page. */
  readonly notes: readonly string[];
  readonly isAuth: boolean;
  /** It only watches: where it cannot be made, requests go on without it. */
  readonly observes: boolean;
  /** Where it may be configured: in stream routes only `access` and `log` are run. */
  readonly subsystems: readonly Subsystem[];
  /** Skipped as a global rule when the route has it too. */
  readonly prefersRoute: boolean;
  readonly schema: JsonSchema;
  /** What a consumer or a credential holds for it. */
  readonly consumerSchema: JsonSchema | undefined;
  readonly metadataSchema: JsonSchema | undefined;
  /** Fields kept encrypted at rest and never logged. */
  readonly secretFields: readonly string[];
  /** What the schema cannot say. Text is the violation, in APISIX's wording. */
  check(conf: PluginConf, environment: CheckEnvironment): string | undefined;
  /** As `check`, for what a consumer or a credential holds. */
  checkConsumer(conf: PluginConf): string | undefined;
  /** As `check`, for the plugin's metadata. */
  checkMetadata(conf: PluginConf): string | undefined;
  create(conf: PluginConf, environment: PluginEnvironment): Handlers;
  publicApis(environment: PluginEnvironment): readonly PublicApi[];
  listener(environment: PluginEnvironment): PluginListener | undefined;
  /** In the first process only. */
  background(environment: PluginEnvironment): Background | undefined;
  /** What `askAll` of another process gets from this one. */
  respond(question: unknown, environment: PluginEnvironment): unknown;
  /** See `Topic.fold`. */
  readonly fold: Topic['fold'];
}

export interface PluginDefinition<Conf extends object> {
  readonly name: string;
  readonly priority: number;
  readonly summary: string;
  readonly example?: PluginConf;
  readonly notes?: readonly string[];
  readonly schema: JsonSchema;
  readonly isAuth?: boolean;
  readonly observes?: boolean;
  readonly subsystems?: readonly Subsystem[];
  readonly prefersRoute?: boolean;
  readonly consumerSchema?: JsonSchema;
  readonly metadataSchema?: JsonSchema;
  readonly secretFields?: readonly string[];
  check?(conf: Conf, environment: CheckEnvironment): string | undefined;
  checkConsumer?(conf: PluginConf): string | undefined;
  checkMetadata?(conf: PluginConf): string | undefined;
  create(conf: Conf, environment: PluginEnvironment): Handlers;
  publicApis?(environment: PluginEnvironment): readonly PublicApi[];
  listener?(environment: PluginEnvironment): PluginListener | undefined;
  background?(environment: PluginEnvironment): Background;
  respond?(question: unknown, environment: PluginEnvironment): unknown;
  readonly fold?: Topic['fold'];
}

/** `Conf` is the type of what `schema` lets through, defaults filled in. */
export function definePlugin<Conf extends object>(definition: PluginDefinition<Conf>): Plugin {
  const { check, checkConsumer, checkMetadata, publicApis, listener, background, respond } =
    definition;
  return {
    example: undefined,
    notes: [],
    isAuth: false,
    observes: false,
    subsystems: ['http'],
    prefersRoute: false,
    consumerSchema: undefined,
    metadataSchema: undefined,
    secretFields: [],
    fold: undefined,
    ...definition,
    // Checked edge: `schema` has accepted the value before either of these is called.
    check: (conf, environment) => check?.(conf as Conf, environment),
    checkConsumer: (conf) => checkConsumer?.(conf),
    checkMetadata: (conf) => checkMetadata?.(conf),
    create: (conf, environment) => definition.create(conf as Conf, environment),
    publicApis: (environment) => publicApis?.(environment) ?? [],
    listener: (environment) => listener?.(environment),
    background: (environment) => background?.(environment),
    respond: (question, environment) => respond?.(question, environment),
  };
}
