import type { HeaderFields } from '../core/http/header-fields.ts';

/** Removes what told of a body that is no longer the one sent. */
export function dropEntityFields(fields: HeaderFields): void {
  for (const name of ['Content-Length', 'Content-Encoding', 'Last-Modified', 'ETag']) {
    fields.remove(name);
  }
}
