import { REDACTED } from '@thalweg/wire';
import { remembered } from './remembered.ts';

/**
 * Parameters of a query whose values are never kept: names that credentials usually have, in any
 * case, `-` and `_` being alike. Sources: OpenTelemetry's HTTP conventions (url.query), RFC 6750,
 * APISIX's defaults for key-auth and jwt-auth.
 */
const SECRET_PARAMETERS = [
  'access_token',
  'apikey',
  'api_key',
  'auth_token',
  'awsaccesskeyid',
  'client_secret',
  'id_token',
  'jwt',
  'passwd',
  'password',
  'refresh_token',
  'secret',
  'sig',
  'signature',
  'token',
  'x_amz_credential',
  'x_amz_security_token',
  'x_amz_signature',
  'x_api_key',
  'x_goog_credential',
  'x_goog_signature',
] as const;

/** Takes the values of secret parameters out of a path with a query; other paths are answered as they are. */
export function createQueryMask(more: readonly string[] = []): (path: string) => string {
  const secret = new Set([...SECRET_PARAMETERS, ...more].map(plainName));

  const isSecret = remembered((name) => secret.has(plainName(name)));

  return (path) => {
    const start = path.indexOf('?') + 1;
    if (start === 0) return path;
    let masked = '';
    let done = 0;
    for (let from = start; from < path.length; ) {
      const next = path.indexOf('&', from);
      const to = next < 0 ? path.length : next;
      const equals = path.indexOf('=', from);
      if (equals > from && equals < to && isSecret(path.slice(from, equals))) {
        masked += path.slice(done, equals + 1) + REDACTED;
        done = to;
      }
      from = to + 1;
    }
    return done === 0 ? path : masked + path.slice(done);
  };
}

/** A name that hides behind percent-encoding is the same name; a broken escape stays as it is. */
function plainName(name: string): string {
  let plain = name;
  if (name.includes('%')) {
    try {
      plain = decodeURIComponent(name);
    } catch {
      // Not an escape: the name as it was sent.
    }
  }
  return plain.toLowerCase().replaceAll('-', '_');
}
