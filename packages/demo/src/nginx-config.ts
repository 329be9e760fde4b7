export interface GatewayOptions {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly upstream: string;
  /** Idle connections that nginx keeps to the service; 0: a new connection for each request. */
  readonly keepalive: number;
}

/** A whole nginx configuration for the gateway host; touches no file outside `folder`. */
export function nginxConfig({
  folder,
  address,
  port,
  upstream,
  keepalive,
}: GatewayOptions): string {
  const pool = keepalive > 0 ? `keepalive ${keepalive}; keepalive_requests 100000;` : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n  ');
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary}
  keepalive_requests 100000;
  upstream orders { server ${upstream}; ${pool} }
  server {
    listen ${address}:${port};
    location / { return 404 "no such page\\n"; }
    location /orders {
      proxy_pass http://orders;
      proxy_http_version 1.1;
      proxy_set_header Connection ${keepalive > 0 ? '""' : 'close'};
    }
  }
}
`;
}
