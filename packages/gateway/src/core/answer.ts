/** What the gateway itself answers. An object body is sent as JSON with a line feed after it. */
export interface Answer {
  readonly status: number;
  readonly body?: string | Buffer | Readonly<Record<string, unknown>> | readonly unknown[];
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Names who made it in logs and spans; `apisix` for plugins, `nginx` for the proxy's own pages. */
  readonly source?: 'apisix' | 'nginx';
}

/** The body of an answer as octets. */
export function answerBytes(body: Answer['body']): Buffer {
  if (body === undefined) return EMPTY;
  if (typeof body === 'string') return Buffer.from(body);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(`${JSON.stringify(body)}\n`);
}

const EMPTY = Buffer.alloc(0);

const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Time-out',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Large',
  415: 'Unsupported Media Type',
  416: 'Requested Range Not Satisfiable',
  421: 'Misdirected Request',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
};

/** The phrase that nginx says for a status, so that logs and pages read as its users know them. */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? '';
}

/** As many as there are statuses of three digits. */
const statusLines: string[] = [];

/** The first line of an HTTP/1 answer. */
export function statusLine(status: number): string {
  const known = statusLines[status];
  if (known !== undefined) return known;
  const line = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  statusLines[status] = line;
  return line;
}

/** The page for a failure of the proxying itself, in the shape that nginx's users expect. */
export function errorPage(status: number): Answer {
  const title = `${status} ${reasonPhrase(status)}`.trim();
  return {
    status,
    source: 'nginx',
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>thalweg</center>\r\n</body>\r\n</html>\r\n`,
  };
}
