/** The objects of the Admin API as they are stored: only what was given, without defaults. */
export type PluginConf = Readonly<Record<string, unknown>>;
export type PluginConfs = Readonly<Record<string, PluginConf>>;
export type Expression = readonly unknown[];

export interface Timeouts {
  readonly connect: number;
  readonly send: number;
  readonly read: number;
}

export interface NodeObject {
  readonly host: string;
  readonly port?: number;
  readonly weight: number;
  readonly priority?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface UpstreamObject {
  readonly id?: string | number;
  readonly name?: string;
  readonly type?: string;
  readonly nodes?: Readonly<Record<string, number>> | readonly NodeObject[];
  readonly service_name?: string;
  readonly discovery_type?: string;
  readonly hash_on?: string;
  readonly key?: string;
  readonly retries?: number;
  readonly retry_timeout?: number;
  readonly timeout?: Timeouts;
  readonly scheme?: string;
  readonly pass_host?: string;
  readonly upstream_host?: string;
  readonly keepalive_pool?: {
    readonly size?: number;
    readonly idle_timeout?: number;
    readonly requests?: number;
  };
  readonly tls?: {
    readonly client_cert?: string;
    readonly client_key?: string;
    readonly client_cert_id?: string;
    readonly verify?: boolean;
  };
  readonly checks?: Readonly<Record<string, unknown>>;
}

/** What routes and services share; a route's own value stands before its service's. */
interface Target {
  readonly id?: string | number;
  readonly name?: string;
  readonly desc?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly plugins?: PluginConfs;
  readonly upstream?: UpstreamObject;
  readonly upstream_id?: string | number;
  readonly enable_websocket?: boolean;
  readonly hosts?: readonly string[];
}

export interface ServiceObject extends Target {}

export interface RouteObject extends Target {
  readonly uri?: string;
  readonly uris?: readonly string[];
  readonly host?: string;
  readonly remote_addr?: string;
  readonly remote_addrs?: readonly string[];
  readonly methods?: readonly string[];
  readonly priority?: number;
  readonly vars?: Expression;
  readonly plugin_config_id?: string | number;
  readonly service_id?: string | number;
  readonly timeout?: Timeouts;
  readonly status?: number;
}

export interface StreamRouteObject {
  readonly id?: string | number;
  readonly remote_addr?: string;
  readonly server_addr?: string;
  readonly server_port?: number;
  readonly sni?: string;
  readonly upstream?: UpstreamObject;
  readonly upstream_id?: string | number;
  readonly service_id?: string | number;
  readonly plugins?: PluginConfs;
}

export interface ConsumerObject {
  readonly username: string;
  readonly group_id?: string | number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly plugins?: PluginConfs;
}

/** An object that is nothing but plugins: plugin config, consumer group, global rule, credential. */
export interface PluginsObject {
  readonly id?: string | number;
  readonly plugins?: PluginConfs;
}

export interface SslObject {
  readonly id?: string | number;
  readonly cert: string;
  readonly key: string;
  readonly certs?: readonly string[];
  readonly keys?: readonly string[];
  readonly sni?: string;
  readonly snis?: readonly string[];
  readonly type?: string;
  readonly status?: number;
  readonly client?: {
    readonly ca: string;
    readonly depth?: number;
    readonly skip_mtls_uri_regex?: readonly string[];
  };
  readonly ssl_protocols?: readonly string[];
}

export interface ProtoObject {
  readonly id?: string | number;
  readonly content: string;
}
